"""Which study of joined sources is the prior, and that what was written about one without images stays."""

from pathlib import Path

from tools.case.files import LoadedCase, load_case
from tools.case.joining.merge import Source, merge
from tools.case.joining.store import write_case
from tools.case.record import Case, StudyRef
from ui.opening.staging import in_order


def _source(name: str, day: str | None, report: str | None = None) -> Source:
    study = StudyRef(id="ct-1", path="ct", date=day, report=report)
    return Source(name, LoadedCase(Case(case_id=name, studies=(study,)), Path("/nonexistent")))


def _prior(sources: list[Source]) -> list[bool]:
    return [study.prior for source in in_order(sources) for study in source.loaded.case.studies]


def test_the_older_study_is_the_prior_whatever_came_first() -> None:
    newer, older = _source("a", "2025-03-01"), _source("b", "2024-06-01T09:00:00")
    assert _prior([newer, older]) == [False, True]
    assert _prior([older, newer]) == [True, False]
    assert _prior([newer, _source("c", None)]) == [False, False], "one day alone orders nothing"
    assert _prior([newer, _source("c", "2025-03-01")]) == [False, False], "two series of one day"


def test_a_report_of_an_earlier_study_without_images_is_kept(tmp_path: Path) -> None:
    sources = [_source("now", "2025-03-01"), _source("archive", "2024-06-01", "Small left effusion.")]
    folder = write_case(merge(in_order(sources)), sources, tmp_path / "case")
    (kept,) = load_case(folder).case.studies  # the other has neither images nor a report
    assert (kept.prior, kept.report, kept.date) == (True, "Small left effusion.", "2024-06-01")
