"""A teaching case in the assistant: nothing of machine or truth before the reading is committed, and no change afterwards."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.assistant import Assistant
from agent.errors import BadInput, Forbidden
from agent.sessions.marks import MarkChange
from agent.sessions.teaching import TeachingDesk
from agent.sessions.views import PlaneView
from agent.settings import Settings
from tools.teaching.commit import Entry, MachineFinding, MachineRead, Reading, TrueFinding
from tools.teaching.store import TeachingStore

READING = Reading(entries=(Entry(finding="lung_nodule", side="right", size_mm=10, confidence=4),))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Assistant]:
    place = tmp_path_factory.mktemp("teaching")
    assert pytestconfig.cache is not None
    settings = Settings(data_dir=place / "data", cache_dir=pytestconfig.cache.mkdir("medmpt"), embedder="hashing", weights="none")
    assistant = Assistant.open(settings)
    yield assistant
    assistant.close()


def _ask(house: Assistant, question: str, case: str, session: str) -> str:
    *_, last = house.ask(question, thread=house.new_thread(session), case=case, session=session)
    assert last.type == "done"
    return last.answer.model_dump_json()


def test_nothing_is_told_before_the_commitment(house: Assistant) -> None:
    view = house.open_case("teach-01", session="a")
    info = house.study_info(view.handle, "ct-1", "a")
    assert (info.sealed, info.warnings) == (True, ())
    assert len(house.pixels(view.handle, "ct-1", PlaneView(index=30), "a")) > 1000
    for refused in (
        lambda: house.key_slices(view.handle, "ct-1", "a"),
        lambda: house.overlay(view.handle, "ct-1", PlaneView(index=30, layers=frozenset({"lungs"})), "a"),
        lambda: house.marks(view.handle, "ct-1", MarkChange(do="add", at=(90, 90, 30)), "a"),
        lambda: house.model_findings(view.handle, "ct-1", "a"),
        lambda: house.heatmap(view.handle, "ct-1", "lung_nodule", "a"),
    ):
        with pytest.raises(Forbidden, match="teaching case"):
            refused()
    form = house.teaching(view.handle, "a")
    assert form is not None
    assert not form.committed
    answers = [_ask(house, q, view.handle, "a") for q in ("What abnormalities do you see?", "Is there a nodule?", "起草报告")]
    assert all(json.loads(a)["status"] == "refused" for a in answers)
    assert not any(json.loads(a)["evidence"] for a in answers)
    offered = form.model_dump(exclude={"choices"})
    shown = [view.model_dump_json(), info.model_dump_json(), json.dumps(offered), *answers]
    # What is on this study, in the words in which it could leak.
    for word in ("nodule", "emphysema", "hernia", "coronary", "cancer", "10.4", "结节", "肺气肿", "癌"):
        assert not any(word in text for text in shown if "Is there a nodule" not in text), word


def test_a_committed_reading_reveals_the_truth_and_stays(house: Assistant) -> None:
    view = house.open_case("teach-01", session="b")
    house.study_info(view.handle, "ct-1", "b")
    with pytest.raises(Exception, match="side"):
        house.commit_reading(view.handle, Reading(entries=(Entry(finding="emphysema", confidence=3),)), "b")
    assert house.teaching(view.handle, "b").committed is False  # type: ignore[union-attr]
    found = house.commit_reading(view.handle, READING, "b")
    assert found is not None
    outcomes = {row.finding: row.outcome for row in found.feedback}
    assert outcomes["lung_nodule"] == "hit"
    assert outcomes["emphysema"] == "miss"
    assert found.machine is not None
    assert "medmpt weights" in (found.machine.abstained or "")
    with pytest.raises(Forbidden, match="cannot be changed"):
        house.commit_reading(view.handle, Reading(), "b")
    again = house.open_case("teach-01", session="b")
    assert house.teaching(again.handle, "b").reading == READING  # type: ignore[union-attr]
    assert house.key_slices(again.handle, "ct-1", "b")
    assert json.loads(_ask(house, "What does the chest CT show in figures?", again.handle, "b"))["status"] != "refused"


def test_another_session_starts_sealed_and_reaches_nothing(house: Assistant) -> None:
    first = house.open_case("teach-01", session="c")
    house.commit_reading(first.handle, READING, "c")
    assert house.study_info(house.open_case("teach-01", session="d").handle, "ct-1", "d").sealed
    with pytest.raises(Forbidden):
        house.teaching(first.handle, "d")


def test_the_study_itself_names_nothing(house: Assistant) -> None:
    view = house.open_case("teach-01", session="e")
    house.pixels(view.handle, "ct-1", PlaneView(index=0), "e")
    import pydicom

    folder = house._cases.get(view.handle, "e").loaded.studies["ct-1"]
    header = str(pydicom.dcmread(next(Path(folder).iterdir()), stop_before_pixels=True)).lower()
    assert "nodule" not in header
    assert "cancer" not in header
    assert "teaching" in header


def test_an_ordinary_case_has_no_form(house: Assistant) -> None:
    view = house.open_case("demo-cap-01", session="f")
    assert house.teaching(view.handle, "f") is None
    with pytest.raises(BadInput, match="not a teaching case"):
        house.lessons.keep(view.handle, Reading(), "f")


def test_the_machine_is_shown_first_and_the_truth_waits_for_the_decision(tmp_path: Path, house: Assistant) -> None:
    """The desk on its own records: weights are not needed for the order of the steps."""
    truth = (TrueFinding(finding="lung_nodule", side="right", size_mm=10.0, slice=5),)
    machine = MachineRead(called=(MachineFinding(finding="mass", side="left", score=0.7),), denied=("lung_nodule",))
    store = TeachingStore(tmp_path / "teaching.sqlite")
    desk = TeachingDesk(lambda: frozenset({"teach-01"}), store)
    held = house._cases.get(house.open_case("teach-01", session="g").handle, "g")

    def reveal() -> tuple[tuple[TrueFinding, ...], MachineRead]:
        return truth, machine

    with pytest.raises(Forbidden, match="commit a first reading"):
        desk.decide(held, READING, reveal, "t")
    desk.hint(held, Reading(), reveal)
    desk.commit(held, Reading(), reveal, "t", alone=False)
    waiting = desk.view(held, reveal)
    assert waiting is not None
    assert (waiting.stage, waiting.committed, waiting.truth, waiting.feedback, waiting.planted) == ("machine", False, (), (), None)
    assert waiting.machine is not None
    assert desk.sealed(held)
    assert store.attempts("t") == ()
    desk.decide(held, READING, reveal, "t")
    done = desk.view(held, reveal)
    assert done is not None
    assert done.stage == "done"
    assert [r.outcome for r in done.feedback] == ["hit"]
    assert not desk.sealed(held)
    (kept,) = store.attempts("t")
    assert (kept.first.entries, kept.final, kept.hints) == ((), READING, 1)
    with pytest.raises(Forbidden, match="cannot be changed"):
        desk.decide(held, Reading(), reveal, "t")


def test_a_test_without_the_machine_ends_with_the_first_reading(tmp_path: Path, house: Assistant) -> None:
    machine = MachineRead(called=(MachineFinding(finding="mass", side="left", score=0.7),))
    store = TeachingStore(tmp_path / "teaching.sqlite")
    desk = TeachingDesk(lambda: frozenset({"teach-01"}), store)
    held = house._cases.get(house.open_case("teach-01", session="h").handle, "h")
    desk.commit(held, READING, lambda: ((), machine), "t", alone=True)
    assert not desk.sealed(held)
    assert store.attempts("t")[0].machine is None


def test_a_draft_survives_and_a_hint_is_remembered(house: Assistant) -> None:
    view = house.open_case("teach-01", session="i")
    house.lessons.keep(view.handle, READING, "i")
    again = house.open_case("teach-01", session="i")
    form = house.lessons.hint(again.handle, Reading(), "i")
    assert form is not None
    assert form.draft == READING
    assert len(form.hints) == 1
