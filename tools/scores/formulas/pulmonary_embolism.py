"""Wells score and PERC rule for pulmonary embolism."""

from tools.scores.base import Band, Calculator, Field, either, item, over, under, yes
from tools.scores.fields import AGE, HAEMOPTYSIS, HEART_RATE, LEG_SWELLING, MALIGNANCY, PREVIOUS_VTE, SPO2, SURGERY

_LIKELIEST = Field(
    "pe_most_likely",
    "pulmonary embolism at least as likely as another diagnosis",
    "肺栓塞与其他诊断相比至少同样可能",
    kind="flag",
    terms=("pe most likely", "pulmonary embolism most likely", "肺栓塞可能性最大"),
)
_IMMOBILE = Field(
    "immobilisation",
    "immobilisation for at least 3 days",
    "制动至少 3 天",
    kind="flag",
    terms=("immobilis", "immobiliz", "bedridden", "bed rest", "制动", "卧床"),
    aliases=("immobilization",),
)
_HORMONES = Field(
    "hormone_use",
    "oestrogen use",
    "使用雌激素",
    kind="flag",
    terms=("hormone use", "oral contraceptive", "hormone replacement", "避孕药", "激素替代"),
    drugs=("estradiol", "ethinyl", "estrogen", "oestrogen", "雌二醇", "炔雌醇", "雌激素"),
)

# Points: Wells 2000, table 3; PE unlikely at 4 or less.
WELLS_PE = Calculator(
    "wells_pe",
    "Wells score for pulmonary embolism",
    "肺栓塞 Wells 评分",
    (LEG_SWELLING, _LIKELIEST, HEART_RATE, _IMMOBILE, SURGERY, PREVIOUS_VTE, HAEMOPTYSIS, MALIGNANCY),
    (
        item("leg_swelling", "clinical signs of DVT", "深静脉血栓体征", ("leg_swelling",), yes("leg_swelling"), 3),
        item(
            "pe_most_likely",
            "pulmonary embolism at least as likely as another diagnosis",
            "肺栓塞与其他诊断相比至少同样可能",
            ("pe_most_likely",),
            yes("pe_most_likely"),
            3,
        ),
        item("heart_rate", "heart rate > 100 /min", "心率 > 100 /min", ("heart_rate",), over("heart_rate", 100, equal=False), 1.5),
        item(
            "immobilisation",
            "immobilisation ≥ 3 days or surgery in the last 4 weeks",
            "制动 ≥ 3 天或近 4 周手术",
            ("immobilisation", "recent_surgery"),
            either(yes("immobilisation"), yes("recent_surgery")),
            1.5,
        ),
        item("previous_vte", "previous DVT or PE", "既往深静脉血栓或肺栓塞", ("previous_vte",), yes("previous_vte"), 1.5),
        item("haemoptysis", "haemoptysis", "咯血", ("haemoptysis",), yes("haemoptysis"), 1),
        item("malignancy", "malignancy", "恶性肿瘤", ("malignancy",), yes("malignancy"), 1),
    ),
    decimals=1,
    bands=(Band(4, "pulmonary embolism unlikely", "肺栓塞可能性小"), Band(None, "pulmonary embolism likely", "肺栓塞可能性大")),
    aliases=("wells",),
)

# Eight criteria: Kline 2004. The rule is for patients whose pre-test probability is already low.
PERC = Calculator(
    "perc",
    "PERC rule",
    "PERC 规则",
    (AGE, HEART_RATE, SPO2, LEG_SWELLING, HAEMOPTYSIS, SURGERY, PREVIOUS_VTE, _HORMONES),
    (
        item("age", "age ≥ 50 years", "年龄 ≥ 50 岁", ("age",), over("age", 50)),
        item("heart_rate", "heart rate ≥ 100 /min", "心率 ≥ 100 /min", ("heart_rate",), over("heart_rate", 100)),
        item("spo2", "oxygen saturation < 95%", "血氧饱和度 < 95%", ("spo2",), under("spo2", 95)),
        item("leg_swelling", "unilateral leg swelling", "单侧下肢肿胀", ("leg_swelling",), yes("leg_swelling")),
        item("haemoptysis", "haemoptysis", "咯血", ("haemoptysis",), yes("haemoptysis")),
        item("recent_surgery", "surgery or trauma in the last 4 weeks", "近 4 周手术或外伤", ("recent_surgery",), yes("recent_surgery")),
        item("previous_vte", "previous DVT or PE", "既往深静脉血栓或肺栓塞", ("previous_vte",), yes("previous_vte")),
        item("hormone_use", "oestrogen use", "使用雌激素", ("hormone_use",), yes("hormone_use")),
    ),
    unit="criteria",
    bands=(
        Band(0, "negative: with a low pre-test probability pulmonary embolism is excluded", "阴性：验前概率低时可排除肺栓塞"),
        Band(None, "positive: the rule cannot exclude pulmonary embolism", "阳性：不能据此排除肺栓塞"),
    ),
    note=("PERC applies only when the clinical probability of pulmonary embolism is low", "PERC 仅适用于肺栓塞临床可能性低者"),
)
CALCULATORS = (WELLS_PE, PERC)
