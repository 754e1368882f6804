"""Rows of the drug tables and the one loader that reads and validates them.

Each table is a CSV file beside `retrieval/data/drugs/SOURCES.md`: one row is one fact, each with a source id of `sources.csv`. A cell
`@group` in a drug column stands for all members of that class or group of `classes.csv`.
"""

import csv
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from retrieval import packs
from retrieval.errors import BadInput

DATA = Path(__file__).parents[1] / "data" / "drugs"


@dataclass(frozen=True)
class Source:
    """Where rows come from; `year` is None where the edition is not known for sure."""

    source_id: str
    issuer: str
    title: str
    year: str
    identifier: str
    note: str

    @property
    def label(self) -> str:
        """Issuer and title as shown beside a citation."""
        return f"{self.issuer}: {self.title}"


@dataclass(frozen=True)
class DrugRow:
    """One drug; `groups`, `synonyms` and `synonyms_zh` are lists separated by semicolons."""

    id: str
    name: str
    name_zh: str
    atc: str
    drug_class: str
    groups: str
    synonyms: str
    synonyms_zh: str


@dataclass(frozen=True)
class ClassRow:
    """A class or interaction group; `duplicate` is 1 where two members together are a duplication."""

    id: str
    name: str
    name_zh: str
    duplicate: str
    synonyms: str


@dataclass(frozen=True)
class CombinationRow:
    """A combined product or named regimen and its drugs."""

    name: str
    drugs: str


@dataclass(frozen=True)
class ConditionRow:
    """A disease or patient state.

    Attributes:
        id: Its own.
        name: What the graph's rows of it hold for, to show.
        name_zh: The same in Chinese.
        parents: Wider states, separated by semicolons.
        icd10: Codes that it covers.
        rule: What makes it follow from the patient's data (`age<8`).
        concepts: Concepts of the one table whose names bring it up.
        cues: Words that bring it up and are names of no concept.
        past: What a text that says it of the past stands for instead; `-` is nothing.
    """

    id: str
    name: str
    name_zh: str
    parents: str
    icd10: str
    rule: str
    concepts: str
    cues: str
    past: str


@dataclass(frozen=True)
class InteractionRow:
    """Drug a acts on drug b (either may be `@group`); texts may hold `{a}` and `{b}`."""

    a: str
    b: str
    severity: str
    mechanism: str
    mechanism_zh: str
    effect: str
    effect_zh: str
    management: str
    management_zh: str
    source: str


@dataclass(frozen=True)
class TreatsRow:
    """Use of a drug for a condition: `line` is first, alternative, add_on, second or prophylaxis."""

    drug: str
    condition: str
    line: str
    setting: str
    setting_zh: str
    dose: str
    dose_zh: str
    source: str


@dataclass(frozen=True)
class ContraindicationRow:
    """Condition in which a drug is contraindicated (`absolute`), to `avoid` or needs caution; void beside a drug of class `unless`."""

    drug: str
    condition: str
    level: str
    unless: str
    reason: str
    reason_zh: str
    source: str


@dataclass(frozen=True)
class EnzymeRow:
    """Relation of a drug to an enzyme or transporter: inhibits, induces or substrate_of, with its strength."""

    drug: str
    relation: str
    target: str
    strength: str
    source: str


@dataclass(frozen=True)
class AdjustmentRow:
    """Dose rule in a band `low <= x < high` of crcl or egfr (mL/min), or in Child-Pugh classes low to high."""

    drug: str
    metric: str
    low: str
    high: str
    action: str
    rule: str
    rule_zh: str
    source: str


@dataclass(frozen=True)
class PregnancyRow:
    """Use in pregnancy or lactation: contraindicated, avoid, caution or compatible."""

    drug: str
    period: str
    level: str
    reason: str
    reason_zh: str
    source: str


@dataclass(frozen=True)
class CrossReactivityRow:
    """Allergy to a and use of b (drugs or `@groups`): `level` is contraindicated, major, moderate or minor."""

    a: str
    b: str
    level: str
    text: str
    text_zh: str
    source: str


@dataclass(frozen=True)
class MonitorRow:
    """Laboratory or clinical monitoring a drug needs."""

    drug: str
    lab: str
    lab_zh: str
    when: str
    when_zh: str
    source: str


@dataclass(frozen=True)
class EffectRow:
    """An adverse effect; `additive` is the severity of two drugs that both cause it, or empty."""

    id: str
    name: str
    name_zh: str
    additive: str


@dataclass(frozen=True)
class AdverseRow:
    """A drug causes an effect; `risk` is common, uncommon, rare, or known, possible (for QT prolongation)."""

    drug: str
    effect: str
    risk: str
    source: str


Row = TypeVar("Row")


@dataclass(frozen=True)
class Tables:
    """All rows, read and validated."""

    sources: tuple[Source, ...]
    classes: tuple[ClassRow, ...]
    drugs: tuple[DrugRow, ...]
    combinations: tuple[CombinationRow, ...]
    conditions: tuple[ConditionRow, ...]
    interactions: tuple[InteractionRow, ...]
    treats: tuple[TreatsRow, ...]
    contraindications: tuple[ContraindicationRow, ...]
    enzymes: tuple[EnzymeRow, ...]
    adjustments: tuple[AdjustmentRow, ...]
    pregnancy: tuple[PregnancyRow, ...]
    cross_reactivity: tuple[CrossReactivityRow, ...]
    monitors: tuple[MonitorRow, ...]
    effects: tuple[EffectRow, ...]
    adverse: tuple[AdverseRow, ...]


def listed(cell: str) -> tuple[str, ...]:
    """Items of a cell that holds a list separated by semicolons."""
    return tuple(item.strip() for item in cell.split(";") if item.strip())


def read_table(path: Path, row: type[Row], optional: frozenset[str] = frozenset()) -> tuple[Row, ...]:
    """Read one CSV file whose header is exactly the fields of `row`.

    Raises:
        BadInput: On a wrong header, a wrong number of cells, or an empty cell outside `optional`.
    """
    names = [field.name for field in fields(row)]  # type: ignore[arg-type]
    rows: list[Row] = []
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.reader(handle)
        header = next(reader, [])
        if header != names:
            raise BadInput(f"{path.name}: header {header!r} is not {names!r}")
        for number, cells in enumerate(reader, start=2):
            if len(cells) != len(names):
                raise BadInput(f"{path.name} line {number}: {len(cells)} cells, expected {len(names)}")
            empty = [n for n, cell in zip(names, cells, strict=True) if not cell.strip() and n not in optional]
            if empty:
                raise BadInput(f"{path.name} line {number}: empty {', '.join(empty)}")
            rows.append(row(*cells))
    return tuple(rows)


def read_tables(folder: Path = DATA) -> Tables:
    """Read all tables of `folder`; `retrieval.drugs.lint.checked_tables` also validates them.

    Raises:
        BadInput: With file, line and value, when a row does not hold.
    """
    return Tables(
        sources=_rows(folder, "sources", Source, frozenset({"year", "identifier", "note"})),
        classes=_rows(folder, "classes", ClassRow, frozenset({"synonyms"})),
        drugs=_rows(folder, "drugs", DrugRow, frozenset({"atc", "groups", "synonyms", "synonyms_zh"})),
        combinations=_rows(folder, "combinations", CombinationRow),
        conditions=_rows(folder, "conditions", ConditionRow, frozenset({"parents", "icd10", "rule", "concepts", "cues", "past"})),
        interactions=_rows(folder, "interactions", InteractionRow),
        treats=_rows(folder, "treats", TreatsRow, frozenset({"setting", "setting_zh", "dose", "dose_zh"})),
        contraindications=_rows(folder, "contraindications", ContraindicationRow, frozenset({"unless"})),
        enzymes=_rows(folder, "enzymes", EnzymeRow),
        adjustments=_rows(folder, "adjustments", AdjustmentRow),
        pregnancy=_rows(folder, "pregnancy", PregnancyRow),
        cross_reactivity=_rows(folder, "cross_reactivity", CrossReactivityRow),
        monitors=_rows(folder, "monitors", MonitorRow),
        effects=_rows(folder, "effects", EffectRow, frozenset({"additive"})),
        adverse=_rows(folder, "adverse", AdverseRow),
    )


def table_files(folder: Path, name: str) -> list[Path]:
    """Files of one table; beside the tables of the house those of the packs in use."""
    more = packs.parts(f"drugs/{name}.csv") if folder == DATA else iter(())
    return [folder / f"{name}.csv", *more]


def _rows(folder: Path, name: str, row: type[Row], optional: frozenset[str] = frozenset()) -> tuple[Row, ...]:
    return tuple(r for path in table_files(folder, name) for r in read_table(path, row, optional))
