"""What a mark says: one citable sentence in two languages, its numbers beside it."""

from collections.abc import Iterable

from medmpt_backend.messages import Said, halves
from retrieval.messages.catalogue import messages
from tools.evidence import Evidence, Quantity
from tools.imaging.marks.mark import Mark, MarkedLesion, MarkRow
from tools.quantities import fill

pair = messages("tools.imaging").pair

# A nodule is at most 3 cm, a mass larger: Hansell et al., Fleischner Society: glossary of terms for thoracic imaging, Radiology 2008.
MASS_ABOVE_MM = 30.0
_SIDES = messages("tools.imaging").table("statements_sides")
_PLACES = {
    "upper": pair("upper third"),
    "middle": pair("middle third"),
    "lower": pair("lower third"),
}
KINDS = {
    "solid": pair("solid"),
    "part_solid": pair("part-solid"),
    "ground_glass": pair("ground-glass"),
    "calcified": pair("calcified"),
}


def noun(lesion: MarkedLesion) -> tuple[str, str]:
    """Nodule or mass."""
    return pair("mass") if lesion.long_mm > MASS_ABOVE_MM else pair("nodule")


def place(lesion: MarkedLesion) -> tuple[str, str]:
    """`middle third of the left lung` and the same in Chinese."""
    en, zh = _PLACES.get(lesion.lobe_or_third, (lesion.lobe_or_third.replace("_", " "), lesion.lobe_or_third))
    return pair("{text} of the {side} lung", text=(en, _SIDES[lesion.side]), side=(lesion.side, zh))


def mark_key(study: str, number: int) -> str:
    """Key of a mark's statement."""
    return f"CT-{study}-mark-{number}"


def mark_statement(mark: Mark, study: str) -> Evidence:
    """The mark as evidence. Its name stays out: a person's own words go nowhere."""
    lesion = mark.lesion
    kind, kind_zh = KINDS[lesion.type]
    what, what_zh = noun(lesion)
    where, where_zh = place(lesion)
    solid, solid_zh = "", ""
    if lesion.type == "part_solid":
        solid, solid_zh = pair(", solid part {solid_mm:.1f} mm", solid_mm=lesion.solid_mm)
    size = f"{lesion.long_mm:.1f} x {lesion.short_mm:.1f} mm"
    text, text_zh = pair(
        "Mark {number} is a {kind} {what} in the {where}: {size} (mean {mean_mm:.1f} mm){solid}, volume "
        "{volume_mm3:.0f} mm³, mean density {mean_hu:.0f} HU, slice {slice}.",
        number=mark.number,
        size=size,
        mean_mm=lesion.mean_mm,
        volume_mm3=lesion.volume_mm3,
        mean_hu=lesion.mean_hu,
        slice=lesion.slice,
        kind=(kind, kind_zh),
        what=(what, what_zh),
        where=(where, where_zh),
        solid=(solid, solid_zh),
    )
    return Evidence(
        key=mark_key(study, mark.number),
        kind="ct",
        text=text,
        text_zh=text_zh,
        source=f"measurement of a marked lesion on {study}",
        locator=f"{study} slice {lesion.slice}",
        validity="unknown" if lesion.warnings else "in",
        quantities=fill(_quantities(mark), text, text_zh),
        subjects=(what, "lesion", "mark", f"mark {mark.number}", kind, study),
        side=lesion.side,
        present=True,
    )


def _quantities(mark: Mark) -> tuple[Quantity, ...]:
    lesion, name = mark.lesion, f"mark_{mark.number}"
    rows = [
        ("long_mm", lesion.long_mm, "mm", 1),
        ("short_mm", lesion.short_mm, "mm", 1),
        ("mean_mm", lesion.mean_mm, "mm", 1),
        ("volume_mm3", lesion.volume_mm3, "mm³", 0),
        ("mean_hu", lesion.mean_hu, "HU", 0),
        ("slice", float(lesion.slice), "", 0),
        ("number", float(mark.number), "", 0),
    ]
    if lesion.type == "part_solid":
        rows.append(("solid_mm", lesion.solid_mm, "mm", 1))
    return tuple(Quantity(name=f"{name}_{what}", value=value, unit=unit, decimals=decimals) for what, value, unit, decimals in rows)


def mark_statements(marks: Iterable[Mark], study: str) -> tuple[Evidence, ...]:
    """All marks of a study, by number."""
    return tuple(mark_statement(mark, study) for mark in marks)


def mark_rows(marks: Iterable[Mark]) -> tuple[MarkRow, ...]:
    """Marks without the person's names."""
    return tuple(MarkRow(number=mark.number, at=mark.at, made=mark.made, lesion=mark.lesion) for mark in marks)


def limits_of(marks: Iterable[Mark]) -> tuple[str, ...]:
    """What limits the measurements, said of each mark."""
    return tuple(_of_mark(mark.number, said) for mark in marks for said in mark.lesion.warnings)


def _of_mark(number: int, said: str) -> Said:
    return Said(*pair("mark {number}: {text}", number=number, text=halves(said)))
