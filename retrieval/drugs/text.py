"""Sentences of the drug graph: one row of a table becomes one `DrugFact` with English and Chinese text."""

import hashlib
import re
from dataclasses import dataclass

from retrieval.drugs.facts import DrugFact, Relation, Severity
from retrieval.drugs.tables import (
    AdjustmentRow,
    AdverseRow,
    ConditionRow,
    ContraindicationRow,
    CrossReactivityRow,
    EffectRow,
    EnzymeRow,
    InteractionRow,
    MonitorRow,
    PregnancyRow,
    Source,
    TreatsRow,
)

SEVERITY_EN = {
    "contraindicated": "contraindicated",
    "major": "a major interaction",
    "moderate": "a moderate interaction",
    "minor": "a minor interaction",
    "unknown": "an interaction of unknown severity",
}
SEVERITY_ZH = {
    "contraindicated": "属禁忌",
    "major": "为严重相互作用",
    "moderate": "为中度相互作用",
    "minor": "为轻度相互作用",
    "unknown": "为严重程度未知的相互作用",
}
LINE_EN = {
    "first": "a first-line option",
    "alternative": "an alternative",
    "add_on": "an add-on option",
    "second": "a second-line or salvage option",
    "prophylaxis": "a preventive option",
}
LINE_ZH = {
    "first": "一线选择",
    "alternative": "替代选择",
    "add_on": "附加治疗选择",
    "second": "二线或挽救治疗选择",
    "prophylaxis": "预防用药选择",
}
STRENGTH_EN = {"strong": "a strong", "moderate": "a moderate", "weak": "a weak"}
STRENGTH_ZH = {"strong": "强效", "moderate": "中效", "weak": "弱效"}
RISK_EN = {
    "common": "commonly causes {e}",
    "uncommon": "uncommonly causes {e}",
    "rare": "rarely causes {e}",
    "known": "is known to cause {e}",
    "possible": "possibly causes {e}",
}
RISK_ZH = {"common": "常引起{e}", "uncommon": "偶可引起{e}", "rare": "罕见引起{e}", "known": "已知可引起{e}", "possible": "可能引起{e}"}
PREGNANCY_EN = {
    "contraindicated": "is contraindicated",
    "avoid": "should be avoided",
    "caution": "needs a weighing of benefit and risk",
    "compatible": "may be used",
}
PREGNANCY_ZH = {"contraindicated": "禁用", "avoid": "应避免使用", "caution": "须权衡利弊使用", "compatible": "可以使用"}
PREGNANCY_SEVERITY: dict[str, Severity | None] = {
    "contraindicated": "contraindicated",
    "avoid": "major",
    "caution": "moderate",
    "compatible": None,
}
ACTION_SEVERITY: dict[str, Severity | None] = {
    "contraindicated": "contraindicated",
    "avoid": "major",
    "reduce": "moderate",
    "caution": "moderate",
    "usual": None,
}
# A Latin letter or digit right beside a Chinese character: one blank belongs between them.
_TIGHT = re.compile(r"(?<=[A-Za-z0-9])(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9])")
LINE_RANK = {"first": 0, "alternative": 1, "add_on": 2, "second": 3, "prophylaxis": 4}
CONTRAINDICATION: dict[str, tuple[str, str, Severity]] = {
    "absolute": ("is contraindicated", "禁用", "contraindicated"),
    "avoid": ("should be avoided", "应避免使用", "major"),
    "relative": ("needs caution", "慎用", "moderate"),
}
SEVERITY_RANK = {"contraindicated": 0, "major": 1, "moderate": 2, "minor": 3, "unknown": 4}


@dataclass(frozen=True)
class Name:
    """Id with English and Chinese names, of a drug, class, condition or effect."""

    id: str
    en: str
    zh: str


def sentence(text: str) -> str:
    """The text with a capital at the start and a full stop at the end."""
    text = text.strip()
    if not text:
        return text
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".。!！?？" else text + "."


def sentence_zh(text: str) -> str:
    """The Chinese text with a full stop at the end."""
    text = _TIGHT.sub(" ", text.strip())
    return text if not text or text[-1] in "。！？" else text + "。"


def make_fact(
    relation: Relation,
    subjects: tuple[str, ...],
    text: tuple[str, str],
    source: Source | None,
    path: tuple[str, ...],
    severity: Severity | None = None,
    inferred: bool = False,
    management: str | None = None,
) -> DrugFact:
    """A fact whose key is the hash of its relation, subjects and English text."""
    digest = hashlib.sha256("|".join((relation, *subjects, text[0])).encode()).hexdigest()
    return DrugFact(
        key=f"D-{digest[:6]}",
        text=text[0],
        text_zh=text[1],
        subjects=subjects,
        relation=relation,
        severity=severity,
        source=source.label if source else "derived from edges of the drug graph",
        year=int(source.year) if source and source.year else None,
        inferred=inferred,
        path=path,
        management=management,
    )


def interaction_fact(row: InteractionRow, a: Name, b: Name, severity: Severity, source: Source, path: tuple[str, ...]) -> DrugFact:
    """Drug–drug interaction: severity, effect, mechanism, management."""
    en = {"a": a.en, "b": b.en}
    zh = {"a": a.zh, "b": b.zh}
    manage, manage_zh = row.management.format(**en), row.management_zh.format(**zh)
    text = (
        f"{sentence(f'{a.en} with {b.en} is {SEVERITY_EN[severity]}: {row.effect.format(**en)}')} "
        f"Mechanism: {row.mechanism.format(**en)}. {sentence(manage)}"
    )
    text_zh = (
        sentence_zh(f"{a.zh}与{b.zh}合用{SEVERITY_ZH[severity]}：{row.effect_zh.format(**zh)}")
        + sentence_zh(f"机制：{row.mechanism_zh.format(**zh)}")
        + sentence_zh(manage_zh)
    )
    return make_fact("interacts_with", (a.id, b.id), (text, text_zh), source, path, severity, management=manage)


def treats_fact(row: TreatsRow, drug: Name, condition: Name, source: Source, path: tuple[str, ...]) -> DrugFact:
    """Use of a drug: line, setting and dose."""
    where = f" ({row.setting})" if row.setting else ""
    where_zh = f"（{row.setting_zh}）" if row.setting_zh else ""
    text = sentence(f"{drug.en} is {LINE_EN[row.line]} for {condition.en}{where}" + (f": {row.dose}" if row.dose else ""))
    text_zh = sentence_zh(f"{drug.zh}是{condition.zh}{where_zh}的{LINE_ZH[row.line]}" + (f"：{row.dose_zh}" if row.dose_zh else ""))
    return make_fact("treats", (drug.id, condition.en.lower()), (text, text_zh), source, path)


def contraindication_fact(row: ContraindicationRow, drug: Name, condition: ConditionRow, source: Source, path: tuple[str, ...]) -> DrugFact:
    """Contraindication (absolute) or caution (relative) in a condition."""
    verb, verb_zh, severity = CONTRAINDICATION[row.level]
    text = f"{drug.en} {verb} in {condition.name}: {row.reason}"
    whom = condition.name_zh.removesuffix("患者")
    text_zh = f"{drug.zh}在{whom}患者中{verb_zh}：{row.reason_zh}"
    subjects = (drug.id, condition.name.lower())
    return make_fact("contraindicated_in", subjects, (sentence(text), sentence_zh(text_zh)), source, path, severity)


def enzyme_fact(row: EnzymeRow, drug: Name, source: Source) -> DrugFact:
    """Relation to an enzyme or transporter."""
    if row.relation == "substrate_of":
        word, word_zh = {
            "sensitive": ("a sensitive", "敏感"),
            "major": ("a", ""),
            "minor": ("a minor", "次要"),
            "prodrug": ("a prodrug activated as a", "前药性"),
        }[row.strength]
        text, text_zh = f"{drug.en} is {word} substrate of {row.target}", f"{drug.zh}是 {row.target} 的{word_zh}底物"
    else:
        noun, noun_zh = ("inhibitor", "抑制剂") if row.relation == "inhibits" else ("inducer", "诱导剂")
        text = f"{drug.en} is {STRENGTH_EN[row.strength]} {noun} of {row.target}"
        text_zh = f"{drug.zh}是 {row.target} 的{STRENGTH_ZH[row.strength]}{noun_zh}"
    relation: Relation = "substrate_of" if row.relation == "substrate_of" else "inhibits" if row.relation == "inhibits" else "induces"
    step = (f"{drug.id} -{relation}-> {row.target}",)
    return make_fact(relation, (drug.id, row.target), (sentence(text), sentence_zh(text_zh)), source, step)


def band(row: AdjustmentRow) -> tuple[str, str]:
    """The band of a dose rule as text, English and Chinese."""
    if row.metric == "child_pugh":
        classes = row.low if row.low == row.high else f"{row.low}–{row.high}"
        return f"hepatic impairment of Child-Pugh class {classes}", f"Child-Pugh {classes} 级肝功能不全"
    name, name_zh = ("a creatinine clearance", "肌酐清除率") if row.metric == "crcl" else ("an eGFR", "eGFR")
    unit = "mL/min" if row.metric == "crcl" else "mL/min/1.73 m²"
    low, high = float(row.low), float(row.high)
    if low == 0 and high >= 999:
        return "any kidney function", "任何肾功能"
    if low == 0:
        return f"{name} below {row.high} {unit}", f"{name_zh}<{row.high} {unit}"
    if high >= 999:
        return f"{name} of {row.low} {unit} or more", f"{name_zh}≥{row.low} {unit}"
    return f"{name} of {row.low} to below {row.high} {unit}", f"{name_zh} {row.low}–<{row.high} {unit}"


def adjustment_fact(row: AdjustmentRow, drug: Name, source: Source, path: tuple[str, ...]) -> DrugFact:
    """Renal or hepatic dose rule."""
    where, where_zh = band(row)
    verb, verb_zh = {
        "contraindicated": ("is contraindicated", "禁用"),
        "avoid": ("should be avoided", "应避免使用"),
        "reduce": ("needs a dose adjustment", "需调整剂量"),
        "caution": ("needs caution", "慎用"),
        "usual": ("needs no dose change", "无需调整剂量"),
    }[row.action]
    text = f"{drug.en} {verb} with {where}: {row.rule}"
    text_zh = f"{where_zh}时，{drug.zh}{verb_zh}：{row.rule_zh}"
    return make_fact(
        "adjusts_for",
        (drug.id, row.metric),
        (sentence(text), sentence_zh(text_zh)),
        source,
        path,
        ACTION_SEVERITY[row.action],
        management=row.rule,
    )


def pregnancy_fact(row: PregnancyRow, drug: Name, source: Source, path: tuple[str, ...]) -> DrugFact:
    """Use in pregnancy or during breastfeeding."""
    when, when_zh = ("in pregnancy", "妊娠期") if row.period == "pregnancy" else ("during breastfeeding", "哺乳期")
    text = f"{drug.en} {PREGNANCY_EN[row.level]} {when}: {row.reason}"
    text_zh = f"{when_zh}{drug.zh}{PREGNANCY_ZH[row.level]}：{row.reason_zh}"
    relation: Relation = "pregnancy" if row.period == "pregnancy" else "lactation"
    texts = (sentence(text), sentence_zh(text_zh))
    return make_fact(relation, (drug.id, row.period), texts, source, path, PREGNANCY_SEVERITY[row.level])


def cross_fact(row: CrossReactivityRow, a: Name, b: Name, severity: Severity, source: Source, path: tuple[str, ...]) -> DrugFact:
    """What an allergy to a means for b."""
    en, zh = {"a": a.en, "b": b.en}, {"a": a.zh, "b": b.zh}
    subject, subject_zh = f"after an allergy to {a.en}, {b.en}", f"对{a.zh}过敏者，{b.zh}"
    verdict = {
        "contraindicated": ("is contraindicated", "禁用"),
        "major": ("should be avoided", "应避免使用"),
        "moderate": ("needs caution", "应慎用"),
        "minor": ("may be given as a rule", "通常可以使用"),
        "unknown": ("is of unknown risk", "风险未知"),
    }[severity]
    text = f"{subject} {verdict[0]}: {row.text.format(**en)}"
    text_zh = f"{subject_zh}{verdict[1]}：{row.text_zh.format(**zh)}"
    return make_fact("cross_reacts_with", (a.id, b.id), (sentence(text), sentence_zh(text_zh)), source, path, severity)


def monitor_fact(row: MonitorRow, drug: Name, source: Source, path: tuple[str, ...]) -> DrugFact:
    """What to monitor and when."""
    text, text_zh = f"{drug.en} needs monitoring of {row.lab}: {row.when}", f"使用{drug.zh}应监测{row.lab_zh}：{row.when_zh}"
    return make_fact("monitors", (drug.id, row.lab.lower()), (sentence(text), sentence_zh(text_zh)), source, path)


def adverse_fact(row: AdverseRow, drug: Name, effect: EffectRow, source: Source) -> DrugFact:
    """An adverse effect with its frequency."""
    text = f"{drug.en} {RISK_EN[row.risk].format(e=effect.name)}"
    text_zh = f"{drug.zh}{RISK_ZH[row.risk].format(e=effect.name_zh)}"
    step = (f"{drug.id} -causes-> {effect.name}",)
    return make_fact("causes", (drug.id, effect.name.lower()), (sentence(text), sentence_zh(text_zh)), source, step)


def class_fact(a: Name, b: Name, group: Name, source: Source, duplicate: bool) -> DrugFact:
    """Two drugs of one class; `duplicate` when both are taken together."""
    path = (f"{a.id} -member_of-> {group.en}", f"{b.id} -member_of-> {group.en}")
    if duplicate:
        text = f"{a.en} and {b.en} duplicate each other: both are {group.en}. Check whether both are meant"
        text_zh = f"{a.zh}与{b.zh}重复用药：两者同属{group.zh}。请核实是否确需同时使用"
        return make_fact("same_class", (a.id, b.id), (sentence(text), sentence_zh(text_zh)), source, path, "moderate", inferred=True)
    text, text_zh = f"{a.en} and {b.en} are both {group.en}", f"{a.zh}与{b.zh}同属{group.zh}"
    return make_fact("same_class", (a.id, b.id), (sentence(text), sentence_zh(text_zh)), source, path)


def membership_fact(drug: Name, group: Name, source: Source) -> DrugFact:
    """The class a drug belongs to, as an allergy class."""
    text, text_zh = f"{drug.en} belongs to the {group.en}", f"{drug.zh}属于{group.zh}"
    step = (f"{drug.id} -member_of-> {group.en}",)
    return make_fact("allergy_class", (drug.id, group.en), (sentence(text), sentence_zh(text_zh)), source, step)
