"""Inputs that several calculators share."""

from tools.scores.base import Field

AGE = Field("age", "age", "年龄", "years", patient="age_years", aliases=("age_years",))
SEX = Field("sex", "sex", "性别", kind="choice", patient="sex", choices=("male", "female"))
WEIGHT = Field("weight", "weight", "体重", "kg", patient="weight_kg", aliases=("weight_kg",))
HEIGHT = Field("height", "height", "身高", "cm", patient="height_cm", aliases=("height_cm",))
TEMPERATURE = Field("temperature", "temperature", "体温", "°C", vital="temperature_c", aliases=("temp", "temperature_c"))
HEART_RATE = Field("heart_rate", "heart rate", "心率", "/min", vital="heart_rate", aliases=("hr", "pulse"))
RESPIRATORY_RATE = Field("respiratory_rate", "respiratory rate", "呼吸频率", "/min", vital="respiratory_rate", aliases=("rr",))
SBP = Field("sbp", "systolic blood pressure", "收缩压", "mmHg", vital="sbp_mmhg", aliases=("sbp_mmhg", "systolic"))
DBP = Field("dbp", "diastolic blood pressure", "舒张压", "mmHg", vital="dbp_mmhg", aliases=("dbp_mmhg", "diastolic"))
SPO2 = Field("spo2", "oxygen saturation", "血氧饱和度", "%", vital="spo2_pct", aliases=("spo2_pct", "sats"))
FIO2 = Field("fio2", "inspired oxygen fraction", "吸入氧浓度", "", vital="fio2")
GCS = Field("gcs", "Glasgow Coma Scale", "格拉斯哥昏迷评分", "", vital="gcs")
UREA = Field("urea", "urea", "尿素", "mmol/L", analytes=("urea", "urea_nitrogen"), aliases=("bun", "urea_nitrogen"))
UREA_NITROGEN = Field(
    "urea_nitrogen", "blood urea nitrogen", "尿素氮", "mg/dL", analytes=("urea_nitrogen", "urea"), aliases=("bun", "urea")
)
CREATININE = Field("creatinine", "creatinine", "肌酐", "mg/dL", analytes=("creatinine",), aliases=("scr", "cr"))
SODIUM = Field("sodium", "sodium", "钠", "mmol/L", analytes=("sodium",), aliases=("na",))
POTASSIUM = Field("potassium", "potassium", "钾", "mmol/L", analytes=("potassium",), aliases=("k",))
CHLORIDE = Field("chloride", "chloride", "氯", "mmol/L", analytes=("chloride",), aliases=("cl",))
BICARBONATE = Field("bicarbonate", "bicarbonate", "碳酸氢根", "mmol/L", analytes=("bicarbonate",), aliases=("hco3",))
ALBUMIN = Field("albumin", "albumin", "白蛋白", "g/L", analytes=("albumin",), aliases=("alb",))
GLUCOSE = Field("glucose", "glucose", "葡萄糖", "mmol/L", analytes=("glucose",), aliases=("glu",))
HAEMATOCRIT = Field("haematocrit", "haematocrit", "红细胞压积", "%", analytes=("haematocrit",), aliases=("hct", "hematocrit"))
PH = Field("ph", "arterial pH", "动脉血pH", "", analytes=("ph",))
PAO2 = Field("pao2", "PaO2", "动脉血氧分压", "mm[Hg]", analytes=("pao2",), aliases=("po2",))
PACO2 = Field("paco2", "PaCO2", "动脉血二氧化碳分压", "mm[Hg]", analytes=("paco2",), aliases=("pco2",))
CONFUSION = Field(
    "confusion",
    "new confusion",
    "新发意识模糊",
    kind="flag",
    terms=(
        "confusion",
        "confused",
        "disoriented",
        "disorientation",
        "altered mental status",
        "意识模糊",
        "意识障碍",
        "定向障碍",
        "谵妄",
        "delirium",
    ),
    aliases=("altered_mental_status",),
    current=True,
)
HAEMOPTYSIS = Field(
    "haemoptysis", "haemoptysis", "咯血", kind="flag", terms=("haemoptysis", "hemoptysis", "咯血"), aliases=("hemoptysis",), current=True
)
PREVIOUS_VTE = Field(
    "previous_vte",
    "previous DVT or PE",
    "既往深静脉血栓或肺栓塞",
    kind="flag",
    terms=(
        "previous pulmonary embolism",
        "history of pulmonary embolism",
        "previous deep vein thrombosis",
        "history of deep vein thrombosis",
        "previous dvt",
        "history of dvt",
        "previous pe",
        "previous vte",
        "既往肺栓塞",
        "既往深静脉血栓",
        "肺栓塞病史",
        "深静脉血栓病史",
        "静脉血栓栓塞病史",
    ),
)
MALIGNANCY = Field(
    "malignancy",
    "active malignancy",
    "活动性恶性肿瘤",
    kind="flag",
    terms=(
        "malignancy",
        "cancer",
        "carcinoma",
        "adenocarcinoma",
        "metasta",
        "lymphoma",
        "myeloma",
        "leukaemia",
        "leukemia",
        "恶性肿瘤",
        "肺癌",
        "癌",
        "淋巴瘤",
        "白血病",
    ),
    aliases=("cancer", "neoplasm"),
    current=True,
    except_in=("癌胚抗原", "cancer antigen", "cancer screening", "癌症筛查"),
)
HEART_FAILURE = Field(
    "heart_failure",
    "heart failure",
    "心力衰竭",
    kind="flag",
    terms=("heart failure", "cardiac failure", "心力衰竭", "心衰"),
    aliases=("chf",),
)
CEREBROVASCULAR = Field(
    "cerebrovascular_disease",
    "cerebrovascular disease",
    "脑血管病",
    kind="flag",
    terms=("cerebrovascular", "stroke", "transient ischaemic attack", "transient ischemic attack", "脑血管", "脑卒中", "脑梗", "脑出血"),
    aliases=("stroke",),
)
RENAL = Field(
    "renal_disease",
    "renal disease",
    "肾脏病",
    kind="flag",
    terms=("chronic kidney disease", "renal disease", "kidney disease", "renal failure", "ckd", "慢性肾", "肾脏病", "肾功能不全", "肾衰"),
    aliases=("ckd",),
)
LIVER = Field(
    "liver_disease",
    "liver disease",
    "肝病",
    kind="flag",
    terms=("liver disease", "cirrhosis", "chronic hepatitis", "肝病", "肝硬化", "慢性肝炎"),
)
LEG_SWELLING = Field(
    "leg_swelling",
    "unilateral leg swelling or other signs of DVT",
    "单侧下肢肿胀或其他深静脉血栓体征",
    kind="flag",
    terms=("leg swelling", "swollen leg", "calf swelling", "signs of dvt", "signs of deep vein thrombosis", "下肢肿胀", "小腿肿胀"),
    aliases=("dvt_signs",),
    current=True,
)
SURGERY = Field(
    "recent_surgery",
    "surgery or trauma in the last 4 weeks",
    "近 4 周手术或外伤",
    kind="flag",
    terms=("recent surgery", "surgery within 4 weeks", "postoperative", "recent trauma", "近期手术", "术后", "近期外伤"),
)
ON_OXYGEN = Field(
    "on_oxygen", "supplemental oxygen", "吸氧", kind="flag", terms=("supplemental oxygen", "on oxygen", "oxygen therapy", "吸氧", "氧疗")
)
COPD = Field("copd", "COPD", "慢阻肺", kind="flag", terms=("copd", "chronic obstructive", "慢性阻塞性肺", "慢阻肺"))
WBC = Field("wbc", "white cell count", "白细胞计数", "10*9/L", analytes=("wbc",))
PLATELETS = Field("platelets", "platelet count", "血小板计数", "10*9/L", analytes=("platelets",), aliases=("plt",))
HAEMOGLOBIN = Field("haemoglobin", "haemoglobin", "血红蛋白", "g/L", analytes=("haemoglobin",), aliases=("hb", "hemoglobin"))
EOSINOPHILS = Field("eosinophils", "eosinophil count", "嗜酸性粒细胞计数", "10*9/L", analytes=("eosinophils",), aliases=("eos",))
LYMPHOCYTES = Field("lymphocytes", "lymphocyte count", "淋巴细胞计数", "10*9/L", analytes=("lymphocytes",))
CRP = Field("crp", "C-reactive protein", "C反应蛋白", "mg/L", analytes=("crp",))
BILIRUBIN = Field("bilirubin", "bilirubin", "胆红素", "umol/L", analytes=("bilirubin",))
INR = Field("inr", "INR", "国际标准化比值", "", analytes=("inr",))
D_DIMER = Field("d_dimer", "D-dimer (FEU)", "D-二聚体（FEU）", "mg/L", analytes=("d_dimer",), aliases=("ddimer",))
EGFR = Field("egfr", "estimated GFR", "估算肾小球滤过率", "mL/min/{1.73_m2}", analytes=("egfr",), aliases=("gfr",))
FEV1_PCT = Field("fev1_pct", "FEV1 in % of predicted", "FEV1 占预计值", "%", aliases=("fev1",))
FVC_PCT = Field("fvc_pct", "FVC in % of predicted", "FVC 占预计值", "%", aliases=("fvc",))
DLCO_PCT = Field("dlco_pct", "DLCO in % of predicted", "DLCO 占预计值", "%", aliases=("dlco",))
MMRC = Field("mmrc", "mMRC dyspnoea grade (0 to 4)", "mMRC 呼吸困难分级（0 至 4）", "", aliases=("dyspnoea_grade", "dyspnea_grade"))
PEEP = Field("peep", "PEEP or CPAP", "PEEP 或 CPAP", "cmH2O", aliases=("cpap",))
HYPERTENSION = Field(
    "hypertension", "hypertension", "高血压", kind="flag", terms=("hypertension", "高血压"),
    except_in=("pulmonary hypertension", "pulmonary arterial hypertension", "portal hypertension", "intracranial hypertension",
               "肺动脉高血压", "门静脉高血压"),
)  # fmt: skip
DIABETES = Field("diabetes", "diabetes", "糖尿病", kind="flag", terms=("diabetes", "糖尿病"), except_in=("diabetes insipidus",))
CHRONIC_LUNG = Field(
    "chronic_lung_disease", "chronic lung disease", "慢性肺病", kind="flag",
    terms=("copd", "chronic obstructive", "interstitial lung disease", "pulmonary fibrosis", "bronchiectasis", "chronic lung disease",
           "慢阻肺", "慢性阻塞性肺", "间质性肺", "肺纤维化", "支气管扩张", "慢性肺病"),
)  # fmt: skip
STROKE = Field(
    "stroke", "stroke, TIA or systemic embolism", "卒中、短暂性脑缺血发作或体循环栓塞", kind="flag",
    terms=("stroke", "transient ischaemic attack", "transient ischemic attack", "tia", "脑卒中", "脑梗", "短暂性脑缺血"),
    except_in=("stroke volume",),
)  # fmt: skip
VASCULAR = Field(
    "vascular_disease", "vascular disease", "血管疾病", kind="flag",
    terms=("myocardial infarction", "peripheral arterial", "aortic plaque", "coronary artery disease", "心肌梗死", "外周动脉", "冠心病"),
)  # fmt: skip
ATRIAL_FIBRILLATION = Field(
    "atrial_fibrillation", "atrial fibrillation", "心房颤动", kind="flag", terms=("atrial fibrillation", "心房颤动", "房颤")
)
IMMOBILE = Field(
    "immobile", "bed rest or reduced mobility for at least 3 days", "卧床或活动受限至少 3 天", kind="flag",
    terms=("immobilis", "immobiliz", "bedridden", "bed rest", "bedbound", "制动", "卧床"), current=True,
    aliases=("immobilisation", "immobilization", "reduced_mobility"),
)  # fmt: skip
OESTROGEN = Field(
    "hormone_use", "oestrogen use", "使用雌激素", kind="flag",
    terms=("hormone use", "oral contraceptive", "hormone replacement", "避孕药", "激素替代"), current=True,
    drugs=("estradiol", "ethinyl", "estrogen", "oestrogen", "雌二醇", "炔雌醇", "雌激素"),
)  # fmt: skip
MULTILOBAR = Field(
    "multilobar", "infiltrates in more than one lobe", "多叶浸润", kind="flag", current=True,
    terms=("multilobar", "multilobe", "bilateral infiltrate", "bilateral consolidation", "多叶", "双肺浸润", "双肺实变"),
)  # fmt: skip
CONSOLIDATION = Field("consolidation", "consolidation on imaging", "影像学实变", kind="flag", terms=("consolidation", "实变"), current=True)
THROMBOPHILIA = Field(
    "thrombophilia", "known thrombophilia", "已知易栓症", kind="flag",
    terms=("thrombophilia", "factor v leiden", "antiphospholipid", "protein c deficiency", "protein s deficiency",
           "antithrombin deficiency", "易栓症", "抗磷脂"),
)  # fmt: skip
PACK_YEARS = Field("pack_years", "pack-years", "吸烟包年", "", patient="smoking.pack_years")
