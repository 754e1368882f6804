"""A whole turn through the real graph with small real tools."""

import stat
import threading
from pathlib import Path

import pytest

from agent.answering.answer import Answer, Event
from agent.assistant import Assistant
from agent.errors import AgentError, BadInput, Forbidden
from agent.sessions.marks import MarkChange
from agent.sessions.views import PlaneView

TRIO = "Interpret the labs, compute CURB-65 and say what the guideline recommends"
TRIO_ZH = "请解读化验结果，计算CURB-65评分，并说明指南如何推荐"


def ask(assistant: Assistant, question: str, thread: str, case: str | None = None, session: str = "s") -> Answer:
    *_, last = assistant.ask(question, thread=thread, case=case, session=session)
    assert last.type == "done"
    return last.answer


def test_trio_asks_three_tools_and_cites_each(make_assistant) -> None:
    assistant = make_assistant()
    case = assistant.open_case("a", session="s").handle
    events: list[Event] = list(assistant.ask(TRIO, thread=assistant.new_thread("s"), case=case, session="s"))
    kinds = [e.type for e in events]
    assert kinds.index("step_finished") < kinds.index("sentence") < kinds.index("done")
    answer = events[-1].answer  # type: ignore[union-attr]
    assert answer.status == "answered"
    assert {t.name for t in answer.tool_calls} == {"interpret_labs", "calculate_score", "search_guidelines"}
    assert {"L-urea", "S-curb_65", "G-cap-high"} <= {e.key for e in answer.evidence}
    assert "G-asthma" not in {e.key for e in answer.evidence}
    assert "G-cap-low" not in {e.key for e in answer.evidence}, "guidance for another severity than the patient's"
    assert not answer.removed
    assert any("penicillin" in w for w in answer.warnings)


def test_chinese_question_gets_a_chinese_answer_with_the_same_evidence(make_assistant) -> None:
    assistant = make_assistant()
    case = assistant.open_case("a", session="s").handle
    en = ask(assistant, TRIO, assistant.new_thread("s"), case)
    zh = ask(assistant, TRIO_ZH, assistant.new_thread("s"), case)
    assert {e.key for e in en.evidence} == {e.key for e in zh.evidence}
    assert "尿素 11.2 mmol/L" in zh.answer


def test_other_labs_change_exactly_the_dependent_claims(make_assistant) -> None:
    assistant = make_assistant()
    answers = [ask(assistant, TRIO, assistant.new_thread("s"), assistant.open_case(name, session="s").handle) for name in ("a", "b")]
    texts = [{c.evidence[0]: c.text for c in a.claims} for a in answers]
    assert texts[0]["L-crp"] == texts[1]["L-crp"]
    assert "L-urea" in texts[0]
    assert "L-urea" not in texts[1], "a normal urea is not among the abnormal values"
    assert texts[0]["S-curb_65"] != texts[1]["S-curb_65"]


def test_critical_values_come_first(make_assistant) -> None:
    assistant = make_assistant()
    answer = ask(assistant, "How are the labs?", assistant.new_thread("s"), assistant.open_case("c", session="s").handle)
    assert answer.emergencies
    assert answer.answer.startswith("Needs action now:")


def test_same_question_twice_gives_the_same_bytes(make_assistant) -> None:
    assistant = make_assistant()
    case = assistant.open_case("a", session="s").handle
    made = []
    for _ in range(2):
        answer = ask(assistant, TRIO, assistant.new_thread("s"), case)
        calls = tuple(c.model_copy(update={"seconds": 0.0}) for c in answer.tool_calls)
        made.append(answer.model_copy(update={"seconds": 0.0, "thread": "", "tool_calls": calls}).model_dump_json())
    assert made[0] == made[1]


def test_follow_up_keeps_the_topic(make_assistant) -> None:
    assistant = make_assistant()
    case, thread = assistant.open_case("a", session="s").handle, assistant.new_thread("s")
    ask(assistant, TRIO, thread, case)
    answer = ask(assistant, "and in penicillin allergy?", thread, case)
    assert [t.name for t in answer.tool_calls] == ["search_guidelines"]
    assert answer.claims[0].evidence == ("G-cap-allergy",)
    why = ask(assistant, "Why?", thread, case)
    assert why.claims
    assert len(assistant.history(thread, "s")) == 3


@pytest.mark.parametrize(
    ("question", "status", "said"),
    [
        ("Hello", "answered", "Hello"),
        ("谢谢", "answered", "不客气"),
        ("What is the capital of France?", "refused", "respiratory"),
        ("怎么治疗骨折？", "refused", "呼吸内科"),
        ("What is the patient's name and address?", "refused", "de-identified"),
        ("病人叫什么名字？", "refused", "去标识化"),
        ("Draft a report of the CT", "refused", "medmpt weights install"),
    ],
)
def test_what_is_not_answered_is_said_plainly(make_assistant, question: str, status: str, said: str) -> None:
    assistant = make_assistant()
    answer = ask(assistant, question, assistant.new_thread("s"), assistant.open_case("a", session="s").handle)
    assert answer.status == status
    assert said in answer.answer
    assert not answer.claims


def test_without_a_case_a_patient_question_is_refused(make_assistant) -> None:
    assistant = make_assistant()
    answer = ask(assistant, "Interpret the labs", assistant.new_thread("s"))
    assert (answer.status, answer.tool_calls) == ("refused", ())


def test_nothing_found_is_not_a_neighbour(make_assistant) -> None:
    assistant = make_assistant()
    answer = ask(assistant, "What does the guideline recommend for sarcoidosis?", assistant.new_thread("s"))
    assert answer.status == "refused"
    assert "no passage fits" in answer.answer


def test_sessions_never_reach_each_other(make_assistant) -> None:
    assistant = make_assistant()
    case, thread = assistant.open_case("a", session="one").handle, assistant.new_thread("one")
    ask(assistant, "Interpret the labs", thread, case, "one")
    for attempt in (
        lambda: ask(assistant, "Interpret the labs", thread, None, "two"),
        lambda: ask(assistant, "Interpret the labs", assistant.new_thread("two"), case, "two"),
        lambda: assistant.history(thread, "two"),
        lambda: assistant.study_info(case, "ct-1", "two"),
        lambda: assistant.pixels(case, "ct-1", PlaneView(index=0), "two"),
        lambda: assistant.marks(case, "ct-1", MarkChange(), "two"),
        lambda: assistant.evidence(thread, "L-urea", "two"),
        lambda: assistant.history("guess", "one"),
    ):
        with pytest.raises(Forbidden):
            attempt()
    assert issubclass(Forbidden, AgentError)
    assistant.close_session("one")
    with pytest.raises(Forbidden):
        ask(assistant, "Interpret the labs", thread, case, "one")


def test_a_thread_keeps_to_one_patient(make_assistant) -> None:
    assistant = make_assistant()
    thread = assistant.new_thread("s")
    ask(assistant, "Interpret the labs", thread, assistant.open_case("a", session="s").handle)
    with pytest.raises(BadInput, match="one patient"):
        ask(assistant, "Interpret the labs", thread, assistant.open_case("b", session="s").handle)
    again = ask(assistant, "Interpret the labs", thread, assistant.open_case("a", session="s").handle)
    assert again.status == "answered"


def test_stop_ends_the_turn_and_the_thread_goes_on(make_assistant) -> None:
    assistant = make_assistant()
    case, thread, stop = assistant.open_case("a", session="s").handle, assistant.new_thread("s"), threading.Event()
    first = ask(assistant, "Interpret the labs", thread, case)
    events = []
    for event in assistant.ask(TRIO, thread=thread, case=case, session="s", stop=stop):
        events.append(event)
        stop.set()
    assert events[-1].type == "done"
    assert events[-1].answer.status == "partial"
    assert assistant.history(thread, "s")[-1].answer == first.answer
    later = ask(assistant, TRIO, thread, case)
    assert later.status == "answered"
    assert len(assistant.history(thread, "s")) == 2


def test_thread_database_is_private(make_assistant, tmp_path: Path) -> None:
    make_assistant()
    assert stat.S_IMODE((tmp_path / "data" / "threads.sqlite").stat().st_mode) == 0o600


@pytest.mark.parametrize("question", ["", "   ", "x" * 9000])
def test_a_question_has_bounds(make_assistant, question: str) -> None:
    assistant = make_assistant()
    with pytest.raises(BadInput):
        ask(assistant, question, assistant.new_thread("s"))
