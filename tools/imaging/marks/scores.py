"""What a marked lesion answers of a nodule score: size, type, solid part; what it cannot answer stays missing."""

from tools.deps import Deps
from tools.imaging.marks.evidence import Marked
from tools.imaging.marks.mark import Mark
from tools.imaging.marks.measuring import marks_of
from tools.imaging.marks.statements import limits_of, mark_statements
from tools.imaging.marks.words import number_named
from tools.scores.base import Calculator


def lesion_inputs(deps: Deps, calculator: Calculator, given: dict[str, str]) -> tuple[dict[str, str], Marked]:
    """Inputs of a nodule score out of the marks, below what is `given`; and the mark that they come from.

    The mark that the question names by number, else the largest; a size that is given is never mixed with a mark's type.
    """
    keys = {field.key for field in calculator.fields}
    if deps.marks is None or not {"size", "nodule_type"} <= keys or "size" in given:
        return given, Marked()
    found = [(study, mark) for study in _current(deps) for mark in marks_of(deps, study)]
    if not found:
        return given, Marked()
    wanted = number_named(deps.question)
    study, mark = next((pair for pair in found if pair[1].number == wanted), max(found, key=lambda pair: pair[1].lesion.mean_mm))
    inputs = {key: value for key, value in _inputs(mark, sum(1 for _ in found)).items() if key in keys}
    return {**inputs, **given}, Marked((mark,), mark_statements((mark,), study), warnings=limits_of((mark,)))


def _current(deps: Deps) -> list[str]:
    prior = {ref.id for ref in deps.case.studies if ref.prior} if deps.case is not None else set()
    return [study for study in deps.studies if study not in prior]


def _inputs(mark: Mark, count: int) -> dict[str, str]:
    lesion = mark.lesion
    out = {"size": f"{lesion.mean_mm:.1f}"}
    if lesion.type != "calcified":
        out["nodule_type"] = lesion.type
    if lesion.type == "part_solid":
        out["solid_component"] = f"{lesion.solid_mm:.1f}"
    if count > 1:
        out |= {"multiple": "yes", "nodule_count": str(count)}
    return out
