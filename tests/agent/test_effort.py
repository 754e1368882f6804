"""Effort: one draft, one objection, or several drafts weighed by their evidence and read a second time."""

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable

from agent.answering.draft import Draft, DraftSentence
from agent.effort.gaps import gap_calls
from agent.effort.refute import doubted, give_way, other_sources
from agent.effort.weigh import best, weigh
from agent.errors import BadInput
from agent.settings import Settings
from agent.turn.graph import build_graph
from agent.turn.prompts import CaseCard
from agent.turn.state import TurnContext
from agent.verify import Verdict, check
from tools.evidence import Evidence

QUESTION = "How long is amoxicillin given in low-severity pneumonia?"


def _passage(key: str, text: str, source: str = "BTS: pneumonia (2024)") -> Evidence:
    return Evidence(key=key, kind="guideline", text=text, source=source, year=2024)


DOSE = _passage("G-dose", "In low-severity pneumonia amoxicillin is given for 5 days.")
SMOKING = _passage("G-smoke", "Every smoker with pneumonia is offered help to stop smoking.")
LEDGER = {e.key: e for e in (DOSE, SMOKING)}


def _draft(*rows: tuple[str, str]) -> Draft:
    return Draft(sentences=tuple(DraftSentence(text=text, evidence=(key,)) for key, text in rows))


def test_the_draft_that_answers_outweighs_one_beside_the_point() -> None:
    beside, answering = _draft(("G-smoke", SMOKING.text)), _draft(("G-dose", DOSE.text))
    assert weigh(answering, QUESTION, LEDGER).score > weigh(beside, QUESTION, LEDGER).score
    assert best([beside, answering], QUESTION, LEDGER) == 1
    assert best([answering, beside], QUESTION, LEDGER) == 0


def test_an_unsupported_sentence_costs_its_share() -> None:
    honest, padded = _draft(("G-dose", DOSE.text)), _draft(("G-dose", DOSE.text), ("G-dose", "Amoxicillin is given for 14 days."))
    assert weigh(padded, QUESTION, LEDGER).supported == 0.5
    assert best([padded, honest], QUESTION, LEDGER) == 1


def test_equal_drafts_keep_the_ordinary_one_and_none_is_an_error() -> None:
    same = _draft(("G-dose", DOSE.text))
    assert best([same, same], QUESTION, LEDGER) == 0
    assert weigh(Draft(), QUESTION, LEDGER).score == 0
    with pytest.raises(ValueError, match="no draft"):
        best([], QUESTION, LEDGER)


def test_a_second_search_asks_for_what_the_draft_leaves_open() -> None:
    asked = "Tuberculosis: isoniazid dose and how is hepatotoxicity monitored?"
    partial = _draft(("G-t", "Isoniazid is dosed at 5 mg/kg in tuberculosis."))
    (name, args), *rest = gap_calls(asked, partial)
    assert (name, rest) == ("search_guidelines", [])
    assert "hepatotoxicity" in str(args["query"])
    assert "uberculosis" in str(args["query"])
    whole = _draft(("G-t", "In tuberculosis isoniazid is dosed at 5 mg/kg; hepatotoxicity is monitored by aminotransferases."))
    assert gap_calls(asked, whole) == ()


def test_another_source_that_says_otherwise_is_named() -> None:
    old = _passage("G-old", "Electronic cigarettes are not recommended for smoking cessation.", "GOLD: COPD (2026)")
    new = _passage("G-new", "Electronic cigarettes are recommended for smoking cessation.", "NICE: tobacco (2021)")
    ledger = {e.key: e for e in (old, new, SMOKING)}
    verdicts = [check(old.text, ("G-old",), ledger)]
    (warning,) = other_sources(verdicts, ledger, "en")
    assert "NICE: tobacco (2021)" in warning
    assert other_sources([check(SMOKING.text, ("G-smoke",), ledger)], ledger, "en") == ()


def test_a_doubted_sentence_gives_way_to_its_evidence_and_records_are_never_doubted() -> None:
    own = Verdict("Amoxicillin for five days in mild pneumonia.", ("G-dose",), "verified")
    quoted = Verdict(SMOKING.text, ("G-smoke",), "quoted")
    asked: list[Any] = []

    def reader(messages: Any) -> AIMessage:
        asked.extend(messages)
        return AIMessage(content="[1, 7]")

    doubts = doubted([quoted, own], LEDGER, reader, "en")
    assert doubts == [1], "a number that was not asked counts for nothing"
    assert SMOKING.text not in str(asked[-1].content), "what is quoted is not put to a model"
    shown, gone = give_way([quoted, own], doubts, LEDGER, "en")
    assert [v.text for v in shown] == [SMOKING.text, DOSE.text]
    assert gone[0].text == own.text
    assert gone[0].support is None


@pytest.mark.parametrize("reply", ["", "I refute 1", '{"refuted": [1]}', "[true]"])
def test_a_reader_that_does_not_answer_in_form_doubts_nothing(reply: str) -> None:
    own = Verdict("Amoxicillin for five days in mild pneumonia.", ("G-dose",), "verified")
    assert doubted([own], LEDGER, lambda _: AIMessage(content=reply), "en") == []


class TwoDrafts(BaseChatModel):
    """Asks for the labs, hands in a poor draft first, a better one when asked again, and refutes what it is told to."""

    refuse: str = "[]"
    heard: list[str]

    @property
    def _llm_type(self) -> str:
        return "two-drafts"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])

    def _next(self, messages: list[BaseMessage]) -> AIMessage:
        last = messages[-1]
        if isinstance(messages[0], SystemMessage) and "refute" in str(messages[0].content):
            self.heard.append("reader")
            return AIMessage(content=self.refuse)
        if not any(isinstance(m, ToolMessage) for m in messages):
            return AIMessage(content="", tool_calls=[{"name": "interpret_labs", "args": {}, "id": "c1", "type": "tool_call"}])
        again = isinstance(last, HumanMessage) and "once more" in str(last.content)
        self.heard.append("again" if again else "first")
        rows = [("L-urea", "")] if again else [("L-urea", "The patient may go home today.")]
        return AIMessage(content=_draft(*rows).model_dump_json())


def _turn(effort: str, folder: Path, assistant: Any) -> tuple[dict[str, Any], list[str]]:
    house = assistant._parts
    case = house.cases["a"]
    model = TwoDrafts(heard=[])
    context = TurnContext(
        cache_dir=folder,
        case=case,
        question="What is the urea?",
        card=CaseCard.of(case),
        effort=effort,  # type: ignore[arg-type]
    )
    state = build_graph(model, house.tools(), model_name="two").invoke({}, context=context)
    return dict(state["answers"][-1]), model.heard


def test_high_effort_takes_the_draft_with_evidence_and_low_does_not_object(tmp_path: Path, make_assistant: Any) -> None:
    high, heard = _turn("high", tmp_path, make_assistant())
    assert heard[:2] == ["first", "again"]
    assert "Urea" in high["answer"]
    assert not any("go home" in c["text"] for c in high["claims"])
    assert any("drafts" in w for w in high["warnings"])
    _, low_heard = _turn("low", tmp_path, make_assistant())
    assert low_heard == ["first"], "no objection, no second draft"
    _, medium_heard = _turn("medium", tmp_path, make_assistant())
    assert "again" not in medium_heard
    assert "reader" not in medium_heard


def test_settings_and_a_wrong_level() -> None:
    assert Settings.from_environment({"MEDMPT_EFFORT": "high"}).effort == "high"
    assert Settings.from_environment({}).effort == "medium"
    with pytest.raises(BadInput, match="low, medium or high"):
        Settings.from_environment({"MEDMPT_EFFORT": "most"})


def test_levels_reach_the_planner_and_the_answers_stay_whole(make_assistant: Any) -> None:
    assistant = make_assistant()
    case = assistant.open_case("a", session="s").handle
    texts = {}
    for effort in ("low", "medium", "high"):
        *_, done = assistant.ask("Interpret the labs", thread=assistant.new_thread("s"), case=case, session="s", effort=effort)
        texts[effort] = json.dumps([c.text for c in done.answer.claims])
    assert texts["low"] == texts["medium"] == texts["high"]
