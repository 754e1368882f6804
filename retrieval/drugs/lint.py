"""Validation of the drug tables: ids resolve, closed sets hold, sources exist, years and bands are plausible."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from retrieval.concepts.table import vocabulary
from retrieval.drugs.tables import DATA, Tables, listed, read_tables
from retrieval.errors import BadInput

SEVERITIES = frozenset({"contraindicated", "major", "moderate", "minor", "unknown"})
LINES = frozenset({"first", "alternative", "add_on", "second", "prophylaxis"})
LEVELS = frozenset({"absolute", "avoid", "relative"})
ENZYME_RELATIONS = frozenset({"inhibits", "induces", "substrate_of"})
STRENGTHS = {
    "inhibits": frozenset({"strong", "moderate", "weak"}),
    "induces": frozenset({"strong", "moderate", "weak"}),
    "substrate_of": frozenset({"sensitive", "major", "minor", "prodrug"}),
}
METRICS = frozenset({"crcl", "egfr", "child_pugh"})
ACTIONS = frozenset({"contraindicated", "avoid", "reduce", "usual", "caution"})
PERIODS = frozenset({"pregnancy", "lactation"})
PREGNANCY_LEVELS = frozenset({"contraindicated", "avoid", "caution", "compatible"})
RISKS = frozenset({"common", "uncommon", "rare", "known", "possible"})
# Five anatomical-therapeutic-chemical levels: one letter, two digits, two letters, two digits (WHO ATC/DDD index).
ATC = re.compile(r"[A-Z]\d{2}[A-Z]{2}\d{2}")
RULE = re.compile(r"age(?:<|>=)\d+(?:\.\d+)?|sex=(?:female|male)")


def _demand(ok: bool, table: str, row: object, why: str) -> None:
    if not ok:
        raise BadInput(f"{table}.csv: {why}: {row!r}")


def _unique(table: str, ids: Iterable[str]) -> None:
    twice = [name for name, n in Counter(ids).items() if n > 1]
    if twice:
        raise BadInput(f"{table}.csv: listed twice: {', '.join(twice)}")


def checked_tables(folder: Path = DATA) -> Tables:
    """Read all tables of `folder` and validate them.

    Raises:
        BadInput: With file, line and value, when a row does not hold.
    """
    tables = read_tables(folder)
    check_tables(tables)
    return tables


def check_tables(tables: Tables) -> None:
    """Raise `BadInput` at the first row that does not hold."""
    _check_names(tables)
    _check_edges(tables)
    _check_bands(tables)


def _check_names(tables: Tables) -> None:
    _unique("drugs", (d.id for d in tables.drugs))
    _unique("classes", (c.id for c in tables.classes))
    _unique("conditions", (c.id for c in tables.conditions))
    _unique("effects", (e.id for e in tables.effects))
    _unique("sources", (s.source_id for s in tables.sources))
    classes = {c.id for c in tables.classes}
    drugs = {d.id for d in tables.drugs}
    conditions = {c.id for c in tables.conditions}
    for d in tables.drugs:
        _demand(not d.atc or ATC.fullmatch(d.atc) is not None, "drugs", d, "ATC code is malformed")
        _demand({d.drug_class, *listed(d.groups)} <= classes, "drugs", d, "unknown class or group")
    for combination in tables.combinations:
        _demand(set(listed(combination.drugs)) <= drugs, "combinations", combination, "unknown drug")
    for c in tables.conditions:
        _demand(set(listed(c.parents)) <= conditions, "conditions", c, "unknown parent")
        _demand(set(listed(c.concepts)) <= set(vocabulary().concepts), "conditions", c, "a concept that is not in the one table")
        _demand(not c.rule or RULE.fullmatch(c.rule) is not None, "conditions", c, "malformed rule")
    for s in tables.sources:
        _demand(not s.year or 1950 <= int(s.year) <= 2026, "sources", s, "implausible year")


def _check_edges(tables: Tables) -> None:
    sources = {s.source_id for s in tables.sources}
    ends = {d.id for d in tables.drugs} | {f"@{c.id}" for c in tables.classes}
    conditions = {c.id for c in tables.conditions}
    effects = {e.id for e in tables.effects}
    for i in tables.interactions:
        _demand(i.a in ends and i.b in ends, "interactions", i, "unknown drug or group")
        _demand(i.severity in SEVERITIES, "interactions", i, "unknown severity")
        _demand(i.source in sources, "interactions", i, "unknown source")
    for t in tables.treats:
        _demand(t.drug in ends and t.condition in conditions, "treats", t, "unknown drug or condition")
        _demand(t.line in LINES and t.source in sources, "treats", t, "unknown line or source")
        _demand(bool(t.setting) == bool(t.setting_zh) and bool(t.dose) == bool(t.dose_zh), "treats", t, "one language only")
    for c in tables.contraindications:
        _demand(c.drug in ends and c.condition in conditions, "contraindications", c, "unknown drug or condition")
        _demand(not c.unless or f"@{c.unless}" in ends, "contraindications", c, "unknown class")
        _demand(c.level in LEVELS and c.source in sources, "contraindications", c, "unknown level or source")
    for e in tables.enzymes:
        _demand(e.drug in ends and e.source in sources and e.relation in ENZYME_RELATIONS, "enzymes", e, "unknown end")
        _demand(e.strength in STRENGTHS[e.relation], "enzymes", e, "unknown strength")
    for x in tables.cross_reactivity:
        _demand(x.a in ends and x.b in ends and x.source in sources, "cross_reactivity", x, "unknown end or source")
        _demand(x.level in SEVERITIES, "cross_reactivity", x, "unknown level")
    for v in tables.adverse:
        _demand(v.drug in ends and v.effect in effects and v.source in sources, "adverse", v, "unknown end or source")
        _demand(v.risk in RISKS, "adverse", v, "unknown risk")
    for m in tables.monitors:
        _demand(m.drug in ends and m.source in sources, "monitors", m, "unknown drug or source")


def _check_bands(tables: Tables) -> None:
    sources = {s.source_id for s in tables.sources}
    ends = {d.id for d in tables.drugs} | {f"@{c.id}" for c in tables.classes}
    for a in tables.adjustments:
        _demand(a.drug in ends and a.source in sources, "adjustments", a, "unknown drug or source")
        _demand(a.metric in METRICS and a.action in ACTIONS, "adjustments", a, "unknown metric or action")
        if a.metric == "child_pugh":
            _demand("A" <= a.low <= a.high <= "C", "adjustments", a, "Child-Pugh classes run from A to C")
        else:
            _demand(0 <= float(a.low) < float(a.high), "adjustments", a, "empty band")
    for p in tables.pregnancy:
        _demand(p.drug in ends and p.source in sources, "pregnancy", p, "unknown drug or source")
        _demand(p.period in PERIODS and p.level in PREGNANCY_LEVELS, "pregnancy", p, "unknown period or level")
