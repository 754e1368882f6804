"""Marks: kept by images and owner, numbered, renamed, deleted, undone; spoken of by the tools; on a phantom and a real scan."""

import re
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medmpt_backend.errors import BackendError
from tools.case.record import Case, StudyRef
from tools.deps import Deps
from tools.errors import BadInput, ToolsError
from tools.imaging.marks.evidence import marked
from tools.imaging.marks.mark import packed, unpacked
from tools.imaging.marks.measuring import mark_at
from tools.imaging.marks.store import FILE, MarkStore, OwnMarks
from tools.imaging.marks.words import asks_of_marks, names_marks, number_named
from tools.imaging.overlays import LAYERS, overlay
from tools.imaging.planes import section
from tools.imaging.quantify import quantify_ct
from tools.imaging.studies import Study
from tools.reports.check import check_report
from tools.reports.document.compose import compose
from tools.reports.document.record import frozen_text
from tools.reports.document.template import template_of
from tools.reports.drafting import draft_report
from tools.reports.payload import CheckData, DraftData
from tools.scores.tool import calculate_score
from tools.wording import in_language

DATA = Path(__file__).resolve().parents[2] / "../shared/data"

LIDC = Path(__file__).resolve().parents[2] / "../shared/data/chest_ct/LIDC-IDRI-0003"


class Phantom(Study):
    """A study that is painted instead of read."""

    def __init__(self, radius: float, at: tuple[int, int, int] = (30, 75, 41)) -> None:
        from medmpt_backend.imaging.volume import SeriesInfo, Volume
        from tests.medmpt_backend.ct_files import add_ball, chest_of_two_balloons

        super().__init__(Path("phantom"))
        hu = chest_of_two_balloons()
        add_ball(hu, at, radius, 40)
        self._volume = Volume(hu, (1.5, 1.0, 1.0), SeriesInfo(uid_hash="0"))


@pytest.fixture
def store(tmp_path: Path) -> MarkStore:
    return MarkStore(tmp_path / FILE)


@pytest.fixture(scope="module")
def phantom() -> Study:
    return Phantom(9)


def test_numbers_names_deletion_and_undo_survive_a_restart(store: MarkStore, phantom: Study, tmp_path: Path) -> None:
    first = mark_at(store, "me", phantom, (41, 75, 30))
    second = mark_at(store, "me", phantom, (42, 76, 30))
    assert (first.number, second.number) == (1, 2)
    assert first.lesion.long_mm == pytest.approx(18, abs=1.5)
    store.rename("me", phantom.content, 2, " right apex ")
    store.delete("me", phantom.content, 1)
    again = MarkStore(tmp_path / FILE)
    assert [(m.number, m.name) for m in again.of("me", phantom.content)] == [(2, "right apex")]
    again.undo("me", phantom.content)
    again.undo("me", phantom.content)
    assert [(m.number, m.name) for m in again.of("me", phantom.content)] == [(1, None), (2, None)]
    again.delete("me", phantom.content, 2)
    assert mark_at(again, "me", phantom, (41, 75, 30)).number == 3  # a number is not given again
    with pytest.raises(BadInput, match="no mark 7; it has: 1, 3"):
        again.delete("me", phantom.content, 7)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_marks_are_of_one_owner_and_one_study(store: MarkStore, phantom: Study) -> None:
    other = Phantom(6)
    mark_at(store, "me", phantom, (41, 75, 30))
    assert phantom.content != other.content
    assert store.of("you", phantom.content) == ()
    assert store.of("me", other.content) == ()
    assert (store.has_any("me"), store.has_any("you")) == (True, False)
    with pytest.raises(BadInput, match="nothing to undo"):
        store.undo("me", other.content)
    store.erase()
    assert store.of("me", phantom.content) == ()


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(ToolsError, match="marks cannot be read"):
        MarkStore(tmp_path / FILE).of("me", "x")


def test_voxels_come_back_and_lie_over_every_plane(store: MarkStore, phantom: Study) -> None:
    mask = np.zeros((5, 6, 7), dtype=bool)
    mask[1:3, 2:5, 3] = True
    back, first = unpacked(packed(mask, (10, 20, 30)))
    assert first == (11, 22, 33)
    assert np.array_equal(back, mask[1:3, 2:5, 3:4])
    mark = mark_at(store, "me", phantom, (41, 75, 30))
    voxels = store.voxels("me", phantom.content)
    total = 0
    for plane, index in (("axial", 30), ("coronal", 75), ("sagittal", 41)):
        bits = overlay(phantom, plane, index, frozenset({"lungs", "lesions"}), voxels)  # type: ignore[arg-type]
        assert bits.shape == section(phantom.volume, plane, index).shape  # type: ignore[arg-type]
        assert np.any(bits & LAYERS["lungs"])
        total += int(np.count_nonzero(bits & LAYERS["lesions"]))
    wide = [high - low + 1 for low, high in (mark.lesion.box.x, mark.lesion.box.y, mark.lesion.box.z)]
    assert total == pytest.approx(np.pi / 4 * (wide[0] * wide[1] + wide[0] * wide[2] + wide[1] * wide[2]), rel=0.12)


@pytest.mark.skipif(not DATA.is_dir(), reason="the public test data is absent (../shared/data)")
def test_masks_of_findings_lie_over_every_plane() -> None:
    study = Study(DATA / "chest_ct" / "Lung_Dx-A0002_B40f")
    study.volume.hu[15, 200:204, 205:209] = 700
    for plane, index in (("axial", 14), ("coronal", 295), ("sagittal", 180)):
        bits = overlay(study, plane, index, frozenset({"dense", "effusion", "pneumothorax"}), {})  # type: ignore[arg-type]
        assert np.any(bits & LAYERS["dense"]), "the right lower mass of the data set's readers"
        assert not np.any(bits & (LAYERS["effusion"] | LAYERS["pneumothorax"]))
    assert np.count_nonzero(overlay(study, "axial", 15, frozenset({"calcium"}), {})) == 16
    assert np.count_nonzero(overlay(study, "sagittal", 206, frozenset({"calcium"}), {})) == 4


def test_slabs_are_projections_of_the_sections_around(phantom: Study) -> None:
    hu = phantom.volume.hu
    assert np.array_equal(section(phantom.volume, "coronal", 75), hu[:, 75])
    assert np.array_equal(section(phantom.volume, "axial", 30, 4.5, "max"), hu[29:32].max(axis=0))
    assert np.array_equal(section(phantom.volume, "sagittal", 0, 3, "min"), hu[:, :, 0:2].min(axis=2))
    with pytest.raises(BadInput, match=r"outside 0\.\."):
        section(phantom.volume, "axial", hu.shape[0])
    with pytest.raises(BadInput, match="slab"):
        section(phantom.volume, "axial", 3, 500)


@pytest.mark.parametrize(
    ("text", "names", "asks", "number"),
    [
        ("How big is the nodule I marked?", True, True, None),
        ("这个结节多大", False, True, None),
        ("标记 2 的体积是多少？", True, True, 2),
        ("mark #3: has it grown?", True, True, 3),
        ("What is the total lung volume?", False, False, None),
        ("There is marked improvement of the effusion", False, False, None),
        ("它长大了吗", False, True, None),
        ("长大了吗", False, True, None),
    ],
)
def test_words_about_marks(text: str, names: bool, asks: bool, number: int | None) -> None:
    assert (names_marks(text), asks_of_marks(text), number_named(text)) == (names, asks, number)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Deps:
    if not LIDC.is_dir():
        pytest.skip(f"the public scan is not beside this checkout: {LIDC.name}")
    from tools.imaging.studies import STUDIES

    place = tmp_path_factory.mktemp("marks")
    kept = MarkStore(place / FILE)
    mark_at(kept, "me", STUDIES.open(LIDC.resolve()), (221, 219, 55))
    case = Case(case_id="t", studies=(StudyRef(id="ct-1", path="ct"),))
    return Deps(cache_dir=place, case=case, studies={"ct-1": LIDC.resolve()}, marks=OwnMarks(kept, "me"))


def test_a_mark_is_evidence_for_measurement_draft_and_report_check(real: Deps) -> None:
    found = next(e for e in quantify_ct(real).evidence if e.key == "CT-ct-1-mark-1")
    assert re.match(r"Mark 1 is a solid nodule in the upper \w+ of the right lung: 1[3-6]\.\d x 1[0-3]\.\d mm", found.text)
    assert re.match("标记 1 为右肺上.+实性结节：1[3-6]", found.text_zh or "")
    assert (found.side, found.kind, (found.locator or "")[:-1]) == ("right", "ct", "ct-1 slice 5")
    assert {q.name: q.unit for q in found.quantities if q.name.startswith("mark_1")}["mark_1_volume_mm3"] == "mm³"
    draft = draft_report(real).payload(DraftData)
    assert draft is not None
    findings = next(s for s in draft.sections if s.name == "findings")
    assert any("Mark 1" in row.text for row in findings.sentences)
    document = compose(real, "ct-1", draft_report(real), template_of(None, "en"))
    rows = [(section.name, row.text) for section, said in document.printed() for row in said if row.origin == "mark"]
    assert [name for name, _ in rows] == ["lungs", "impression"], "among the findings and in the impression, once each"
    assert re.fullmatch(r"Solid nodule in the upper \w+ of the right lung, 1[3-6] × 1[0-3] mm \(slice 5\d\)\.", rows[0][1])
    assert rows[0] != rows[1] == ("impression", rows[0][1])
    assert "Mark 1" not in frozen_text(document)
    assert "nothing was found" not in frozen_text(document)
    figures = [quantity.name for _, quantity in document.measured() if quantity.name.startswith("mark_")]
    assert len(set(figures)) == len(figures) > 3, "each figure leaves once"
    pleura = next(said for section, said in document.printed() if section.name == "pleura")
    assert any("air in the pleural space" in row.text.lower() for row in pleura)
    for report, kind in (
        ("A 15 mm nodule in the right upper lobe.", None),
        ("右肺上叶见 16 mm 结节。", None),
        ("A 25 mm nodule in the right upper lobe.", "size"),
        ("A 16 mm nodule in the left upper lobe.", "side"),
        ("The lungs are clear.", "presence"),
    ):
        data = check_report(real, report).payload(CheckData)
        assert data is not None
        about = [r.kind for r in data.remarks if "mark 1" in r.text]
        assert about == ([kind] if kind else []), report


def test_a_nodule_score_takes_size_and_type_from_the_mark(real: Deps) -> None:
    found = calculate_score(replace(real, question="Fleischner for mark 1"), "fleischner", {"multiple": "no", "high_risk": "yes"})
    assert found.status == "ok"
    assert "PET-CT" in found.evidence[0].text  # single solid, 13.8 mm
    assert found.evidence[1].key == "CT-ct-1-mark-1"
    assert calculate_score(real, "lung_rads").missing == ("course",)
    given = calculate_score(real, "fleischner", {"size": "5", "multiple": "no", "high_risk": "no"})
    assert given.missing == ("nodule type",)  # a size that is given is never mixed with the mark's type


def test_growth_pairs_marks_of_the_prior_study(phantom: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Phantom(6)
    kept = MarkStore(tmp_path / FILE)
    mark_at(kept, "me", phantom, (41, 75, 30))
    case = Case(
        case_id="t",
        studies=(StudyRef(id="ct-1", path="a", date="2025-06-01"), StudyRef(id="ct-0", path="b", date="2025-01-01", prior=True)),
    )
    deps = Deps(
        cache_dir=tmp_path, case=case, studies={"ct-1": Path("a"), "ct-0": Path("b")}, marks=OwnMarks(kept, "me"), question="has it grown?"
    )
    for module in ("measuring", "growth"):
        monkeypatch.setattr(f"tools.imaging.marks.{module}.study_of", lambda _, study: phantom if study == "ct-1" else before)
    assert marked(deps, "ct-1").missing == ("the same lesion marked on the prior study ct-0",)
    mark_at(kept, "me", before, (41, 75, 30))
    grown = next(e for e in marked(deps, "ct-1").evidence if "-growth-" in e.key)
    assert grown.text.startswith("Mark 1 has grown: volume")
    doubling = next(q for q in grown.quantities if q.name == "doubling_days")
    assert doubling.value == pytest.approx(151 * np.log(2) / np.log(9**3 / 6**3), rel=0.2)


def test_no_mark_is_said_where_marks_are_asked_for(tmp_path: Path) -> None:
    deps = Deps(cache_dir=tmp_path, marks=OwnMarks(MarkStore(tmp_path / FILE), "me"), question="How big is the nodule I marked?")
    assert marked(deps, "ct-1").evidence[0].text.startswith("No lesion is marked")
    assert marked(replace(deps, question="emphysema?"), "ct-1").evidence == ()


@pytest.mark.parametrize("at", [(30, 75, 20), (75, 130, 30), (150, 0, 0)])
def test_a_click_that_measures_nothing_is_refused_in_both_languages(store: MarkStore, phantom: Study, at: tuple[int, int, int]) -> None:
    with pytest.raises(BackendError) as refused:
        mark_at(store, "me", phantom, at)
    assert not re.search(r"[a-z]{4}", in_language(str(refused.value), "zh"))
    assert store.of("me", phantom.content) == ()


def test_growth_without_an_earlier_scan_is_said_and_not_guessed(real: Deps) -> None:
    found = marked(replace(real, question="Has it grown?"), "ct-1")
    assert any("No earlier CT" in e.text for e in found.evidence)
    assert found.missing == ("an earlier CT",)
    assert in_language(found.missing[0], "zh") != found.missing[0]
    assert real.marks is not None
    nobody = OwnMarks(MarkStore(real.cache_dir / "none.db"), "me")
    assert [e.key for e in marked(replace(real, marks=nobody, question="Has it grown?"), "ct-1").evidence] == ["CT-ct-1-mark-none"]


def test_a_marked_lesion_leads_the_impression_and_experiments_answer_where_asked(real: Deps) -> None:
    draft = draft_report(real).payload(DraftData)
    assert draft is not None
    impression = next(s for s in draft.sections if s.name == "impression")
    assert impression.sentences[0].text.startswith("Mark 1: solid nodule of 1")
    assert not any("nothing was found" in row.text for row in impression.sentences)
    asked = quantify_ct(replace(real, question="冠状动脉有钙化吗？")).evidence
    said = next(e for e in asked if e.key.endswith("experimental-calcium"))
    assert "对比剂" in (said.text_zh or "")
    assert not any("experimental" in e.key for e in quantify_ct(real).evidence)
