"""Revised Geneva score, Wells DVT, CHA2DS2-VASc."""

from tools.scores.base import Band, Calculator, Field, either, item, over, steps, yes
from tools.scores.fields import AGE, HAEMOPTYSIS, HEART_FAILURE, HEART_RATE, MALIGNANCY, PREVIOUS_VTE, SEX, SURGERY

_LEG_PAIN = Field("leg_pain", "unilateral leg pain", "单侧下肢疼痛", kind="flag", terms=("unilateral leg pain", "单侧下肢疼痛"))
_LEG_TENDER = Field(
    "leg_tenderness",
    "pain on deep venous palpation with unilateral oedema",
    "深静脉触痛伴单侧水肿",
    kind="flag",
    terms=("deep venous tenderness", "深静脉触痛"),
)

# Points and groups: Le Gal 2006.
GENEVA = Calculator(
    "revised_geneva",
    "revised Geneva score",
    "修订版 Geneva 评分",
    (AGE, PREVIOUS_VTE, SURGERY, MALIGNANCY, _LEG_PAIN, HAEMOPTYSIS, HEART_RATE, _LEG_TENDER),
    (
        item("age", "age > 65 years", "年龄 > 65 岁", ("age",), over("age", 65, equal=False), 1),
        item("previous_vte", "previous DVT or PE", "既往深静脉血栓或肺栓塞", ("previous_vte",), yes("previous_vte"), 3),
        item(
            "recent_surgery", "surgery or fracture in the last month", "近 1 个月手术或骨折", ("recent_surgery",), yes("recent_surgery"), 2
        ),
        item("malignancy", "active malignancy", "活动性恶性肿瘤", ("malignancy",), yes("malignancy"), 2),
        item("leg_pain", "unilateral leg pain", "单侧下肢疼痛", ("leg_pain",), yes("leg_pain"), 3),
        item("haemoptysis", "haemoptysis", "咯血", ("haemoptysis",), yes("haemoptysis"), 2),
        steps("heart_rate", "heart rate (75–94: 3, ≥ 95: 5)", "心率（75–94：3，≥ 95：5）", "heart_rate", ((75, 0), (95, 3)), 5),
        item("leg_tenderness", "deep venous tenderness and oedema", "深静脉触痛伴水肿", ("leg_tenderness",), yes("leg_tenderness"), 4),
    ),
    bands=(
        Band(3, "low clinical probability of pulmonary embolism", "肺栓塞临床可能性低"),
        Band(10, "intermediate clinical probability of pulmonary embolism", "肺栓塞临床可能性中等"),
        Band(None, "high clinical probability of pulmonary embolism", "肺栓塞临床可能性高"),
    ),
    aliases=("geneva",),
)


def _flag(key: str, en: str, zh: str, *terms: str) -> Field:
    return Field(key, en, zh, kind="flag", terms=terms)


_DVT_FIELDS = (
    MALIGNANCY,
    _flag("paralysis", "paralysis, paresis or plaster of the leg", "下肢瘫痪、轻瘫或石膏固定", "leg paralysis", "下肢瘫痪"),
    _flag("bedridden", "bedridden 3 days or more, or major surgery within 12 weeks", "卧床 ≥ 3 天或 12 周内大手术", "bedridden", "卧床"),
    _flag("tenderness", "tenderness along the deep veins", "沿深静脉压痛", "deep venous tenderness", "深静脉触痛"),
    _flag("leg_swollen", "entire leg swollen", "整条下肢肿胀", "entire leg swollen", "整条下肢肿胀"),
    _flag("calf_swelling", "calf more than 3 cm larger", "小腿周径差 > 3 cm", "calf swelling", "小腿肿胀"),
    _flag("pitting_oedema", "pitting oedema of the leg", "患肢凹陷性水肿", "pitting oedema", "pitting edema", "凹陷性水肿"),
    _flag("collateral_veins", "collateral superficial veins", "浅静脉侧支", "collateral veins", "浅静脉侧支"),
    _flag("previous_dvt", "previous DVT", "既往深静脉血栓", "previous dvt", "history of dvt", "既往深静脉血栓"),
    _flag("other_diagnosis", "another diagnosis at least as likely", "其他诊断至少同样可能"),
)
# Points: Wells 2003 (two levels: 2 or more is likely).
WELLS_DVT = Calculator(
    "wells_dvt",
    "Wells score for deep vein thrombosis",
    "深静脉血栓 Wells 评分",
    _DVT_FIELDS,
    tuple(item(f.key, f.en, f.zh, (f.key,), yes(f.key), -2 if f.key == "other_diagnosis" else 1) for f in _DVT_FIELDS),
    bands=(Band(1, "deep vein thrombosis unlikely", "深静脉血栓可能性小"), Band(None, "deep vein thrombosis likely", "深静脉血栓可能性大")),
)

_STROKE = _flag(
    "stroke_or_embolism",
    "stroke, TIA or thromboembolism",
    "卒中、短暂性脑缺血发作或血栓栓塞",
    "stroke",
    "thromboembolism",
    "脑卒中",
    "脑梗",
    "血栓栓塞",
)
_HYPERTENSION = _flag("hypertension", "hypertension", "高血压", "hypertension", "高血压")
_DIABETES = _flag("diabetes", "diabetes", "糖尿病", "diabetes", "糖尿病")
_VASCULAR = _flag(
    "vascular_disease", "vascular disease", "血管疾病", "myocardial infarction", "peripheral arterial", "aortic plaque",
    "coronary artery disease",
    "心肌梗死", "外周动脉", "冠心病",
)  # fmt: skip
# Points: Lip 2010.
CHA2DS2_VASC = Calculator(
    "cha2ds2_vasc",
    "CHA2DS2-VASc",
    "CHA2DS2-VASc 评分",
    (AGE, SEX, HEART_FAILURE, _HYPERTENSION, _DIABETES, _STROKE, _VASCULAR),
    (
        steps("age", "age (65–74: 1, ≥ 75: 2)", "年龄（65–74：1，≥ 75：2）", "age", ((65, 0), (75, 1)), 2),
        item("sex", "female", "女性", ("sex",), lambda v: {"female": True, "male": False}.get(str(v.get("sex"))), 1),
        item("heart_failure", "heart failure", "心力衰竭", ("heart_failure",), yes("heart_failure"), 1),
        item("hypertension", "hypertension", "高血压", ("hypertension",), yes("hypertension"), 1),
        item("diabetes", "diabetes", "糖尿病", ("diabetes",), yes("diabetes"), 1),
        item(
            "stroke_or_embolism",
            "stroke, TIA or thromboembolism",
            "卒中/TIA/血栓栓塞",
            ("stroke_or_embolism",),
            either(yes("stroke_or_embolism")),
            2,
        ),
        item("vascular_disease", "vascular disease", "血管疾病", ("vascular_disease",), yes("vascular_disease"), 1),
    ),
)
CALCULATORS = (GENEVA, WELLS_DVT, CHA2DS2_VASC)
