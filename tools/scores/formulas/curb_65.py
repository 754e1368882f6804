"""CURB-65 and CRB-65: severity of community-acquired pneumonia."""

from tools.scores.base import Band, Calculator, either, item, over, under, yes
from tools.scores.fields import AGE, CONFUSION, DBP, RESPIRATORY_RATE, SBP, UREA

_CONFUSION = item("confusion", "new confusion", "新发意识模糊", ("confusion",), yes("confusion"))
# Urea > 7 mmol/L, respiratory rate >= 30/min, systolic < 90 or diastolic <= 60 mmHg, age >= 65 years (Lim 2003).
_UREA = item("urea", "urea > 7 mmol/L", "尿素 > 7 mmol/L", ("urea",), over("urea", 7.0, equal=False))
_RATE = item("respiratory_rate", "respiratory rate ≥ 30 /min", "呼吸频率 ≥ 30 /min", ("respiratory_rate",), over("respiratory_rate", 30))
_PRESSURE = item(
    "blood_pressure",
    "systolic < 90 mmHg or diastolic ≤ 60 mmHg",
    "收缩压 < 90 mmHg 或舒张压 ≤ 60 mmHg",
    ("sbp", "dbp"),
    either(under("sbp", 90), under("dbp", 60, equal=True)),
)
_AGE = item("age", "age ≥ 65 years", "年龄 ≥ 65 岁", ("age",), over("age", 65))

# 30-day mortality by group: Lim 2003, derivation cohort.
CURB_65 = Calculator(
    "curb_65",
    "CURB-65",
    "CURB-65",
    (CONFUSION, UREA, RESPIRATORY_RATE, SBP, DBP, AGE),
    (_CONFUSION, _UREA, _RATE, _PRESSURE, _AGE),
    bands=(
        Band(1, "low severity (30-day mortality about 1.5%)", "低危（30 天病死率约 1.5%）"),
        Band(2, "intermediate severity (30-day mortality about 9.2%)", "中危（30 天病死率约 9.2%）"),
        Band(None, "high severity (30-day mortality about 22%)", "高危（30 天病死率约 22%）"),
    ),
    aliases=("curb65", "curb"),
    # By score, the whole series of 1,068 (Lim 2003).
    exact={
        score: (f"30-day mortality about {pct}%", f"30 天病死率约 {pct}%")
        for score, pct in enumerate(("0.7", "2.1", "9.2", "14.5", "40", "57"))
    },
)

# 30-day mortality by group: Bauer 2006 and Lim 2003 as quoted in BTS 2009: < 1 %, 1-10 %, > 10 %.
CRB_65 = Calculator(
    "crb_65",
    "CRB-65",
    "CRB-65",
    (CONFUSION, RESPIRATORY_RATE, SBP, DBP, AGE),
    (_CONFUSION, _RATE, _PRESSURE, _AGE),
    bands=(
        Band(0, "low risk of death (30-day mortality below 1%)", "死亡风险低（30 天病死率 < 1%）"),
        Band(2, "intermediate risk of death (30-day mortality 1 to 10%)", "死亡风险中等（30 天病死率 1–10%）"),
        Band(None, "high risk of death (30-day mortality above 10%)", "死亡风险高（30 天病死率 > 10%）"),
    ),
    aliases=("crb65",),
)
CALCULATORS = (CURB_65, CRB_65)
