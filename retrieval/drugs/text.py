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
from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns

pair = messages("retrieval.drugs").pair
_WORDS = patterns("retrieval.drugs")

SEVERITY_EN = {
    "contraindicated": "contraindicated",
    "major": "a major interaction",
    "moderate": "a moderate interaction",
    "minor": "a minor interaction",
    "unknown": "an interaction of unknown severity",
}
SEVERITY_ZH = messages("retrieval.drugs").table("text_severity_zh")
LINE_EN = {
    "first": "a first-line option",
    "alternative": "an alternative",
    "add_on": "an add-on option",
    "second": "a second-line or salvage option",
    "prophylaxis": "a preventive option",
}
LINE_ZH = messages("retrieval.drugs").table("text_line_zh")
STRENGTH_EN = {"strong": "a strong", "moderate": "a moderate", "weak": "a weak"}
STRENGTH_ZH = messages("retrieval.drugs").table("text_strength_zh")
RISK_EN = {
    "common": "commonly causes {e}",
    "uncommon": "uncommonly causes {e}",
    "rare": "rarely causes {e}",
    "known": "is known to cause {e}",
    "possible": "possibly causes {e}",
}
RISK_ZH = messages("retrieval.drugs").table("text_risk_zh")
PREGNANCY_EN = {
    "contraindicated": "is contraindicated",
    "avoid": "should be avoided",
    "caution": "needs a weighing of benefit and risk",
    "compatible": "may be used",
}
PREGNANCY_ZH = messages("retrieval.drugs").table("text_pregnancy_zh")
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
    "absolute": (*pair("is contraindicated"), "contraindicated"),
    "avoid": (*pair("should be avoided"), "major"),
    "relative": (*pair("needs caution"), "moderate"),
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
    said = pair(
        "{a} with {b} is {severity}: {effect}",
        a=(a.en, a.zh),
        b=(b.en, b.zh),
        severity=(SEVERITY_EN[severity], SEVERITY_ZH[severity]),
        effect=(row.effect.format(**en), row.effect_zh.format(**zh)),
    )
    how = pair("Mechanism: {mechanism}", mechanism=(row.mechanism.format(**en), row.mechanism_zh.format(**zh)))
    text = f"{sentence(said[0])} {how[0]}. {sentence(manage)}"
    text_zh = sentence_zh(said[1]) + sentence_zh(how[1]) + sentence_zh(manage_zh)
    return make_fact("interacts_with", (a.id, b.id), (text, text_zh), source, path, severity, management=manage)


def treats_fact(row: TreatsRow, drug: Name, condition: Name, source: Source, path: tuple[str, ...]) -> DrugFact:
    """Use of a drug: line, setting and dose."""
    where = f" ({row.setting})" if row.setting else ""
    where_zh = f"（{row.setting_zh}）" if row.setting_zh else ""
    said, said_zh = pair(
        "{drug} is {line} for {condition}{where}{dose}",
        drug=(drug.en, drug.zh),
        line=(LINE_EN[row.line], LINE_ZH[row.line]),
        condition=(condition.en, condition.zh),
        where=(where, where_zh),
        dose=(f": {row.dose}" if row.dose else "", f"：{row.dose_zh}" if row.dose_zh else ""),
    )
    return make_fact("treats", (drug.id, condition.en.lower()), (sentence(said), sentence_zh(said_zh)), source, path)


def contraindication_fact(row: ContraindicationRow, drug: Name, condition: ConditionRow, source: Source, path: tuple[str, ...]) -> DrugFact:
    """Contraindication (absolute) or caution (relative) in a condition."""
    verb, verb_zh, severity = CONTRAINDICATION[row.level]
    text, text_zh = pair(
        "{drug} {verb} in {condition}: {reason}",
        drug=(drug.en, drug.zh),
        verb=(verb, verb_zh),
        condition=(condition.name, condition.name_zh.removesuffix(_WORDS.text("patient_suffix"))),
        reason=(row.reason, row.reason_zh),
    )
    subjects = (drug.id, condition.name.lower())
    return make_fact("contraindicated_in", subjects, (sentence(text), sentence_zh(text_zh)), source, path, severity)


def enzyme_fact(row: EnzymeRow, drug: Name, source: Source) -> DrugFact:
    """Relation to an enzyme or transporter."""
    if row.relation == "substrate_of":
        word, word_zh = {
            "sensitive": pair("a sensitive"),
            "major": ("a", ""),
            "minor": pair("a minor"),
            "prodrug": pair("a prodrug activated as a"),
        }[row.strength]
        text, text_zh = pair("{drug} is {word} substrate of {target}", target=row.target, drug=(drug.en, drug.zh), word=(word, word_zh))
    else:
        noun, noun_zh = pair("inhibitor") if row.relation == "inhibits" else pair("inducer")
        text, text_zh = pair(
            "{drug} is {strength} {noun} of {target}",
            target=row.target,
            drug=(drug.en, drug.zh),
            noun=(noun, noun_zh),
            strength=(STRENGTH_EN[row.strength], STRENGTH_ZH[row.strength]),
        )
    relation: Relation = "substrate_of" if row.relation == "substrate_of" else "inhibits" if row.relation == "inhibits" else "induces"
    step = (f"{drug.id} -{relation}-> {row.target}",)
    return make_fact(relation, (drug.id, row.target), (sentence(text), sentence_zh(text_zh)), source, step)


def band(row: AdjustmentRow) -> tuple[str, str]:
    """The band of a dose rule as text, English and Chinese."""
    if row.metric == "child_pugh":
        classes = row.low if row.low == row.high else f"{row.low}–{row.high}"
        return pair("hepatic impairment of Child-Pugh class {classes}", classes=classes)
    name, name_zh = pair("a creatinine clearance") if row.metric == "crcl" else ("an eGFR", "eGFR")
    unit = "mL/min" if row.metric == "crcl" else "mL/min/1.73 m²"
    low, high = float(row.low), float(row.high)
    if low == 0 and high >= 999:
        return pair("any kidney function")
    if low == 0:
        return f"{name} below {row.high} {unit}", f"{name_zh}<{row.high} {unit}"
    if high >= 999:
        return f"{name} of {row.low} {unit} or more", f"{name_zh}≥{row.low} {unit}"
    return f"{name} of {row.low} to below {row.high} {unit}", f"{name_zh} {row.low}–<{row.high} {unit}"


def adjustment_fact(row: AdjustmentRow, drug: Name, source: Source, path: tuple[str, ...]) -> DrugFact:
    """Renal or hepatic dose rule."""
    where, where_zh = band(row)
    verb, verb_zh = {
        "contraindicated": pair("is contraindicated"),
        "avoid": pair("should be avoided"),
        "reduce": pair("needs a dose adjustment"),
        "caution": pair("needs caution"),
        "usual": pair("needs no dose change"),
    }[row.action]
    text, text_zh = pair(
        "{drug} {verb} with {where}: {rule}",
        drug=(drug.en, drug.zh),
        verb=(verb, verb_zh),
        where=(where, where_zh),
        rule=(row.rule, row.rule_zh),
    )
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
    when, when_zh = pair("in pregnancy") if row.period == "pregnancy" else pair("during breastfeeding")
    text = f"{drug.en} {PREGNANCY_EN[row.level]} {when}: {row.reason}"
    text_zh = f"{when_zh}{drug.zh}{PREGNANCY_ZH[row.level]}：{row.reason_zh}"
    relation: Relation = "pregnancy" if row.period == "pregnancy" else "lactation"
    texts = (sentence(text), sentence_zh(text_zh))
    return make_fact(relation, (drug.id, row.period), texts, source, path, PREGNANCY_SEVERITY[row.level])


def cross_fact(row: CrossReactivityRow, a: Name, b: Name, severity: Severity, source: Source, path: tuple[str, ...]) -> DrugFact:
    """What an allergy to a means for b."""
    en, zh = {"a": a.en, "b": b.en}, {"a": a.zh, "b": b.zh}
    subject, subject_zh = pair("after an allergy to {allergen}, {drug}", allergen=(a.en, a.zh), drug=(b.en, b.zh))
    verdict = {
        "contraindicated": pair("is contraindicated"),
        "major": pair("should be avoided"),
        "moderate": pair("needs caution", context="text"),
        "minor": pair("may be given as a rule"),
        "unknown": pair("is of unknown risk"),
    }[severity]
    text = f"{subject} {verdict[0]}: {row.text.format(**en)}"
    text_zh = f"{subject_zh}{verdict[1]}：{row.text_zh.format(**zh)}"
    return make_fact("cross_reacts_with", (a.id, b.id), (sentence(text), sentence_zh(text_zh)), source, path, severity)


def monitor_fact(row: MonitorRow, drug: Name, source: Source, path: tuple[str, ...]) -> DrugFact:
    """What to monitor and when."""
    text, text_zh = pair(
        "{drug} needs monitoring of {lab}: {when}", drug=(drug.en, drug.zh), lab=(row.lab, row.lab_zh), when=(row.when, row.when_zh)
    )
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
        text, text_zh = pair(
            "{drug} and {other} duplicate each other: both are {group}. Check whether both are meant",
            drug=(a.en, a.zh),
            other=(b.en, b.zh),
            group=(group.en, group.zh),
        )
        return make_fact("same_class", (a.id, b.id), (sentence(text), sentence_zh(text_zh)), source, path, "moderate", inferred=True)
    text, text_zh = pair("{drug} and {other} are both {group}", drug=(a.en, a.zh), other=(b.en, b.zh), group=(group.en, group.zh))
    return make_fact("same_class", (a.id, b.id), (sentence(text), sentence_zh(text_zh)), source, path)


def membership_fact(drug: Name, group: Name, source: Source) -> DrugFact:
    """The class a drug belongs to, as an allergy class."""
    text, text_zh = pair("{drug} belongs to the {group}", drug=(drug.en, drug.zh), group=(group.en, group.zh))
    step = (f"{drug.id} -member_of-> {group.en}",)
    return make_fact("allergy_class", (drug.id, group.en), (sentence(text), sentence_zh(text_zh)), source, step)
