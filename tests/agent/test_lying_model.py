"""A model that asks the right tools and then lies about what they returned: none of its false sentences reaches the reader."""

from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable

from agent.answering.draft import Draft, DraftSentence
from agent.turn.graph import build_graph
from agent.turn.prompts import CaseCard
from agent.turn.state import TurnContext

LIES = [line.split("\t") for line in (Path(__file__).parent / "lies.tsv").read_text(encoding="utf-8").splitlines()]
CALLS = (
    ("interpret_labs", {}),
    ("calculate_score", {"name": "curb_65"}),
    ("search_guidelines", {"query": "community-acquired pneumonia", "k": 5}),
    ("summarize_case", {}),
)
ASKED = "How severe is the pneumonia and what is given?"
# One true sentence keeps the answer from being handed to the planner.
TRUE = ("L-urea", "Urea is 11.2 mmol/L (reference ≤ 7.8 mmol/L): high.")


class Liar(BaseChatModel):
    """Calls the tools, then hands in the sentences it was given, again after every objection."""

    lies: list[tuple[str, str]]

    @property
    def _llm_type(self) -> str:
        return "liar"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        if not any(isinstance(m, ToolMessage) for m in messages):
            calls = [{"name": n, "args": a, "id": f"c{i}", "type": "tool_call"} for i, (n, a) in enumerate(CALLS)]
            message = AIMessage(content="", tool_calls=calls)
        else:
            said = [DraftSentence(text=text, evidence=(key,)) for key, text in (TRUE, *self.lies)]
            message = AIMessage(content=Draft(sentences=tuple(said)).model_dump_json())
        return ChatResult(generations=[ChatGeneration(message=message)])


def _answer(lies: list[tuple[str, str]], folder: Path, assistant: Any, question: str = ASKED) -> dict[str, Any]:
    house = assistant._parts
    case = house.cases["a"]
    graph = build_graph(Liar(lies=lies), house.tools(), model_name="liar")
    context = TurnContext(cache_dir=folder, case=case, question=question, card=CaseCard.of(case))
    return dict(graph.invoke({}, context=context)["answers"][-1])


def test_there_are_sixty_lies() -> None:
    assert len(LIES) == len({text for _, text in LIES}) == 60


def test_no_false_sentence_reaches_the_reader(tmp_path: Path, make_assistant: Any) -> None:
    assistant = make_assistant()
    told: list[str] = []
    for start in range(0, len(LIES), 10):
        lies = [(key, text) for key, text in LIES[start : start + 10]]
        answer = _answer(lies, tmp_path, assistant)
        assert any(c["text"] == TRUE[1] for c in answer["claims"])
        told += [text for _, text in lies if any(c["text"] == text for c in answer["claims"]) or text in answer["answer"]]
    assert told == []


def test_tools_are_not_asked_about_another_field(tmp_path: Path, make_assistant: Any) -> None:
    """A model that calls tools whatever is asked: the reader is certain that this is none of ours, and no tool runs."""
    assistant = make_assistant()
    for question in ("What is the capital of France?", "今天股市怎么样"):
        answer = _answer([], tmp_path, assistant, question)
        assert answer["tool_calls"] == []
        assert answer["claims"] == []
    assert _answer([], tmp_path, assistant)["tool_calls"] != []
