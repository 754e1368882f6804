"""The sentences of a draft out of the table: findings, impression by weight, recommendation, and what was not judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from medmpt_backend.imaging.draft.labels import Labels, Word, labels_of, table
from medmpt_backend.imaging.quantify import Quantification
from medmpt_backend.messages import joined, messages

message = messages("medmpt_backend.imaging").said

Section = Literal["technique", "findings", "impression", "recommendation", "limits"]
Figure = tuple[str, float, str, int]
_CONTRAST = {
    "yes": message("with contrast medium"),
    "no": message("without contrast medium"),
    "unknown": message("use of contrast medium not stated"),
}


@dataclass(frozen=True)
class Sentence:
    """One sentence in both languages.

    Attributes:
        name: Stable within a study.
        section: Where it stands.
        en: English.
        zh: Chinese.
        origin: `measured`, `metadata` (the series itself), `rule` (a recommendation) or `not_assessed`.
        finding: Which finding it is about, None for none.
        present: True asserted, False looked for and not found, None neither.
        figures: Its numbers: name, value, unit, decimals.
        slice: The slice that shows it.
        source: Of a rule.
        year: Of that source.
    """

    name: str
    section: Section
    en: str
    zh: str
    origin: Literal["measured", "metadata", "rule", "not_assessed"]
    finding: str | None = None
    present: bool | None = None
    figures: tuple[Figure, ...] = ()
    slice: int | None = None
    source: str | None = None
    year: int | None = None


def measured_draft(q: Quantification) -> tuple[Sentence, ...]:
    """Technique, findings, impression, recommendation and limits of one study, by measurement alone.

    Args:
        q: Its figures.

    Returns:
        Sentences in the order of a report; a finding whose method was outside its domain is named in the limits and nowhere else.
    """
    labels = labels_of(q)
    rows = _chosen(labels)
    said = [_finding(row, labels) for row in rows]
    weighed = sorted((row for row in rows if "weight" in row), key=lambda row: -int(row["weight"]))
    impression = [_impression(row, labels) for row in weighed] or _nothing(labels)
    return (_technique(q), *said, *impression, *_rules(weighed), *_limits(q, labels))


def _chosen(labels: Labels) -> list[Mapping[str, Any]]:
    """The first fitting row of every group."""
    found: dict[str, Mapping[str, Any]] = {}
    for row in table()["row"]:
        if row["group"] not in found and set(row["when"]) <= labels.names and not set(row.get("unless", ())) & labels.names:
            found[row["group"]] = row
    return list(found.values())


def _filled(template: str, labels: Labels) -> tuple[str, tuple[Figure, ...]]:
    """A sentence with its figures."""
    used = [f for f in labels.figures() if "{" + f[0] + "}" in template]
    shown: dict[str, Word] = {name: f"{value:.{decimals}f}" for name, value, _, decimals in labels.figures()}
    return template.format(**{**labels.words, **shown}), tuple(used)


def _finding(row: Mapping[str, Any], labels: Labels) -> Sentence:
    (en, figures), (zh, _) = _filled(row["en"], labels), _filled(row["zh"], labels)
    index = next((int(value) for name, value, _, _ in figures if name.endswith("_slice")), None)
    finding = row.get("finding")
    return Sentence(row["group"], "findings", en, zh, "measured", finding, row.get("present", True) if finding else None, figures, index)


def _impression(row: Mapping[str, Any], labels: Labels) -> Sentence:
    (en, figures), (zh, _) = _filled(row["impression_en"], labels), _filled(row["impression_zh"], labels)
    finding = row.get("finding")
    return Sentence(f"impression_{row['group']}", "impression", en, zh, "measured", finding, True if finding else None, figures)


def _nothing(labels: Labels) -> list[Sentence]:
    """That nothing was found in what was looked at; nothing is said where nothing could be looked at."""
    text = table()["nothing"]
    names = [pair for label, pair in text["names"].items() if label in labels.names]
    if not names:
        return []
    en, zh = text["en"].format(names=", ".join(n for n, _ in names)), text["zh"].format(names="、".join(n for _, n in names))
    return [Sentence("impression_nothing", "impression", en, zh, "measured")]


def _rules(rows: list[Mapping[str, Any]]) -> list[Sentence]:
    """Recommendations of the rows, each once."""
    names = dict.fromkeys(row["recommendation"] for row in rows if "recommendation" in row)
    rules = [(name, table()["recommendations"][name]) for name in names]
    return [Sentence(f"rule_{name}", "recommendation", r["en"], r["zh"], "rule", source=r["source"], year=r["year"]) for name, r in rules]


def _technique(q: Quantification) -> Sentence:
    """The series."""
    step = q.spacing_mm[0]
    thick = q.series.thickness_mm
    said = [message("CT of the chest, {slices} axial sections every {step:.2f} mm", slices=q.slices, step=step)]
    figures: list[Figure] = [("slices", float(q.slices), "", 0), ("interval_mm", step, "mm", 2)]
    if thick is not None:
        said.append(message("{thick:.2f} mm thick", thick=thick))
        figures.append(("thickness_mm", thick, "mm", 2))
    if q.series.kernel:
        said.append(message("convolution kernel {name}", name=q.series.kernel))
    text = joined([*said, _CONTRAST[q.series.contrast]], ", ", "，")
    return Sentence("technique", "technique", f"{text}.", f"{text.zh}。", "metadata", figures=tuple(figures))


def _limits(q: Quantification, labels: Labels) -> list[Sentence]:
    """What was not judged, and why figures are limited."""
    out = []
    if labels.outside:
        text = table()["out_of_domain"]
        names, names_zh = ", ".join(labels.outside), "、".join(name.zh for name in labels.outside)
        out.append(Sentence("outside", "limits", text["en"].format(names=names), text["zh"].format(names=names_zh), "not_assessed"))
    text = table()["not_assessed"]
    out.append(Sentence("not_assessed", "limits", text["en"], text["zh"], "not_assessed"))
    return out
