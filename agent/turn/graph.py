"""The conversation graph: call_model → tools → call_model → verify → (objection once) → answer.

The graph is the same for every chat model. What a model gets wrong is told to it a bounded number of times; then the built-in planner
finishes the turn and the answer says so.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode
from langgraph.prebuilt.tool_node import ToolCallRequest, ToolInvocationError
from langgraph.runtime import Runtime
from langgraph.types import Command

from agent.answering.conclude import conclude
from agent.answering.draft import ANSWER_TOOL, Draft, read_draft
from agent.answering.rendering import originals, reworded
from agent.errors import Stopped
from agent.models.calling import ModelFailed, problem_of
from agent.models.schemas import definitions, without_nulls
from agent.safety.requests import declined
from agent.turn.effort import second_reading, several
from agent.turn.ledger import before_last, read_ledger, this_turn
from agent.turn.planner import Planner
from agent.turn.prompts import FINISHED_BY_PLANNER, RETRY_BROKEN_CALL, objection, system_prompt
from agent.turn.state import KEEP_TURNS, ThreadState, TurnContext
from agent.turn.suppose import headed
from agent.verify import Verdict, verify
from medmpt_backend.errors import BackendError
from retrieval.errors import RetrievalError
from tools.errors import ToolsError
from tools.evidence import ToolResult

if TYPE_CHECKING:
    from agent.models.turn_call import Asking

MAX_RETRIES = 2

Routing = Command[Literal["tools", "verify", "call_model"]]
Graph = CompiledStateGraph[ThreadState, TurnContext, ThreadState, ThreadState]


def build_graph(
    model: BaseChatModel,
    tools: Sequence[BaseTool],
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    model_name: str = "planner",
    seconds: float = 60.0,
    room: int = 8192,
) -> Graph:
    """Compile the graph.

    Args:
        model: Any chat model; the built-in planner finishes a turn that it cannot.
        tools: The tools it may call; each returns text and a `ToolResult` dump as artifact.
        checkpointer: Where threads live; None keeps nothing.
        model_name: Name shown in answers.
        seconds: Time limit of one call of the model.
        room: Tokens of the model's context that the conversation may take.
    """
    graph = StateGraph(ThreadState, context_schema=TurnContext)
    graph.add_node("begin", _begin)
    asking = _asking(model, tools, seconds, room)
    graph.add_node("call_model", _call_model(asking, tools, model_name))
    graph.add_node("tools", ToolNode(list(tools), handle_tool_errors=False, wrap_tool_call=timed))
    graph.add_node("verify", _verify(asking), destinations=("call_model", "answer"))
    graph.add_node("answer", _answer(model_name))
    graph.add_edge(START, "begin")
    graph.add_edge("begin", "call_model")
    graph.add_edge("tools", "call_model")
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=checkpointer)


def _begin(state: ThreadState, runtime: Runtime[TurnContext]) -> dict[str, Any]:
    """Reset what belongs to a turn; drop what an interrupted turn left behind; add the question."""
    messages = state.get("messages", [])
    kept = state.get("kept", 0)
    leftovers = [RemoveMessage(id=m.id) for m in messages[kept:] if m.id]
    question = HumanMessage(content=runtime.context.message, id=f"q-{_finished(state) + 1}")
    return {
        "messages": [*(r for r in leftovers if r.id != question.id), question],
        "answers": state.get("answers", []),
        "kept": kept,
        "turns": _finished(state),
        "run_model_call_count": 0,
        "retries": 0,
        "objected": False,
        "finisher": False,
        "verdicts": [],
        "notes": [],
        "tokens": 0,
    }


def _finished(state: ThreadState) -> int:
    """Finished turns of the thread; threads of older versions held all their answers and no count."""
    return state.get("turns", len(state.get("answers", [])))


def _asking(model: BaseChatModel, tools: Sequence[BaseTool], seconds: float, room: int) -> "Asking | None":
    """What calls a language model; None for the planner, which needs none of it."""
    if isinstance(model, Planner):
        return None
    from agent.models.turn_call import Asking

    return Asking(model, definitions(tools), seconds, room)


def _call_model(asking: "Asking | None", tools: Sequence[BaseTool], name: str) -> Callable[..., Routing]:
    planner = Planner()
    known = {t.name for t in tools}

    def node(state: ThreadState, runtime: Runtime[TurnContext]) -> Routing:
        if declined(runtime.context.message, runtime.context.language) is not None:
            # No model and no tool sees a request that harms or deceives.
            return _route(AIMessage(content=Draft(notice="declined").model_dump_json()), {})
        prompt = _prompt(state, runtime.context)
        if state["finisher"] or asking is None:
            return _route(planner.bind_tools(tools).invoke([prompt, *state["messages"]]), {})
        try:
            message, spent = asking.ask(state, prompt, runtime)
        except ModelFailed as failure:
            return _hand_over(f"{name}: {failure}", state, runtime.context)
        problem = problem_of(message, known)
        first = not any(isinstance(m, ToolMessage) for m in this_turn(state["messages"]))
        refusal = planner.out_of_scope([prompt, *state["messages"]]) if first and _asks_tools(message) else None
        if refusal is not None:
            return _route(refusal, spent)
        if problem is None and runtime.context.effort == "high" and not _asks_tools(message) and not state["objected"]:
            chosen, note = several(message, [prompt, *state["messages"]], planner, asking, runtime.context)
            notes = {"notes": [*state["notes"], note]} if note else {}
            return Command(update={"messages": [chosen], **spent, **notes}, goto="verify")
        if problem is None:
            return _route(message, spent)
        if state["retries"] >= MAX_RETRIES:
            return _hand_over(f"{name}: {problem}", state, runtime.context, spent)
        hint = HumanMessage(content=RETRY_BROKEN_CALL.format(problem=problem), additional_kwargs={"aside": True})
        return Command(update={"messages": [hint], "retries": state["retries"] + 1, **spent}, goto="call_model")

    return node


def _prompt(state: ThreadState, context: TurnContext) -> SystemMessage:
    card = context.card
    extra = {"card": card.model_dump(mode="json")} if card else {}
    told = {**extra, "language": context.language, "effort": context.effort}
    return SystemMessage(content=system_prompt(context.language, card), additional_kwargs=told)


def _asks_tools(message: AIMessage) -> bool:
    return any(c["name"] != ANSWER_TOOL for c in message.tool_calls)


def _route(message: AIMessage, spent: dict[str, int]) -> Routing:
    if _asks_tools(message):
        # An answer handed in together with tool calls is premature: only the calls count.
        calls = [{**c, "args": without_nulls(c["args"])} for c in message.tool_calls if c["name"] != ANSWER_TOOL]
        asked = AIMessage(content="", tool_calls=calls, id=message.id)
        return Command(update={"messages": [asked], **spent}, goto="tools")
    return Command(update={"messages": [message], **spent}, goto="verify")


def _hand_over(because: str, state: ThreadState, context: TurnContext, spent: dict[str, int] | None = None) -> Routing:
    """Let the planner finish; it starts from the tools it would ask itself."""
    stale = [RemoveMessage(id=m.id) for m in this_turn(state["messages"])[1:] if m.id]
    note = f"{because}; {FINISHED_BY_PLANNER[context.language]}"
    update = {
        "messages": stale,
        "finisher": True,
        "objected": False,
        "verdicts": [],
        "notes": [*state["notes"], note],
        **(spent or {}),
    }
    return Command(update=update, goto="call_model")


def timed(request: ToolCallRequest, execute: Callable[[ToolCallRequest], ToolMessage | Command[Any]]) -> ToolMessage | Command[Any]:
    """Run one tool call, report its start and end live, and turn the rooms' expected errors into results."""
    runtime: Any = request.runtime
    context: TurnContext = runtime.context
    call_id, name, args = request.tool_call["id"], request.tool_call["name"], request.tool_call["args"]
    if context.stop.is_set():
        raise Stopped("stopped by the person")
    runtime.stream_writer({"step": "started", "call_id": call_id, "name": name, "args": args})
    start = time.perf_counter()
    try:
        message = execute(replace(request, runtime=replace(runtime, context=context.furnished(name))))
    except (ToolsError, RetrievalError, BackendError) as failure:
        message = _failed(request, failure.status, str(failure))
    except ToolInvocationError as wrong:
        message = _failed(request, "error", re.sub(r"\s+", " ", str(wrong))[:400])
    if isinstance(message, ToolMessage):
        if not isinstance(message.artifact, dict):
            message = _failed(request, "error", str(message.content))
        seconds = time.perf_counter() - start
        message.additional_kwargs = {**message.additional_kwargs, "seconds": seconds, "args": args}
        report = {"step": "finished", "call_id": call_id, "name": name, "seconds": seconds, "result": message.artifact}
        runtime.stream_writer(report)
    return message


def _failed(request: ToolCallRequest, status: str, reason: str) -> ToolMessage:
    result = ToolResult.model_validate({"tool": request.tool_call["name"], "status": status, "reason": reason})
    context: Any = request.runtime.context
    if context.case is not None:
        from tools.bedside.attach import attach  # what the record itself says does not need the tool that failed

        result = attach(result, context)
    return ToolMessage(
        content=result.for_model(),
        artifact=result.model_dump(mode="json"),
        tool_call_id=request.tool_call["id"] or "",
        name=request.tool_call["name"],
    )


def _verify(asking: "Asking | None") -> Callable[..., Command[Any]]:
    """The node that checks a draft; what a language model says of records is put in the records' words."""

    def node(state: ThreadState, runtime: Runtime[TurnContext]) -> Command[Any]:
        last = state["messages"][-1]
        draft = (read_draft(last) if isinstance(last, AIMessage) else None) or Draft(notice="no_evidence")
        evidence = read_ledger(state["messages"]).evidence
        verdicts, replaced = verify(draft, evidence), list[Verdict]()
        context = runtime.context
        if asking is not None and not state["finisher"]:
            verdicts, replaced = reworded(verdicts, evidence, context.language)
        failed = [v for v in verdicts if v.support is None]
        dumped = [_dumped(v) for v in (*replaced, *verdicts)]
        if failed and not state["objected"] and context.effort != "low":
            said = {"aside": True, "objected": [s.text for s, v in zip(draft.sentences, verdicts, strict=True) if v.support is None]}
            text = objection([(v.text, v.because or "") for v in failed], context.language)
            update = {
                "messages": [*_as_prose(last, draft), HumanMessage(content=text, additional_kwargs=said)],
                "objected": True,
                "verdicts": dumped,
            }
            return Command(update=update, goto="call_model")
        if draft.sentences and len(failed) == len(verdicts) and not state["finisher"]:
            return _hand_over("no sentence of the model was supported by evidence", state, context)
        if asking is not None and failed and not state["finisher"]:
            verdicts, quoted = originals(verdicts, evidence, context.language)
            replaced = [*replaced, *quoted]
            dumped = [_dumped(v) for v in (*replaced, *verdicts)]
        notes = state["notes"]
        if context.effort == "high":
            reader = asking if not state["finisher"] else None
            verdicts, gone, against = second_reading(verdicts, read_ledger(state["messages"]), reader, context)
            dumped, notes = [_dumped(v) for v in (*replaced, *gone, *verdicts)], [*notes, *against]
        return Command(update={"verdicts": [*_still_out(state["verdicts"], dumped), *dumped], "notes": notes}, goto="answer")

    return node


def _dumped(verdict: Verdict) -> dict[str, Any]:
    return {"text": verdict.text, "evidence": list(verdict.evidence), "support": verdict.support, "because": verdict.because}


def _still_out(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sentences that failed before the objection and are not in the new draft: they were removed too."""
    texts = {v["text"] for v in now}
    return [v for v in before if v["support"] is None and v["text"] not in texts]


def _as_prose(last: AnyMessage, draft: Draft) -> list[AnyMessage]:
    """The draft as plain text under the same id: a tool call without a reply is not a valid history."""
    prose = " ".join(f"{s.text} {''.join(f'[{k}]' for k in s.evidence)}" for s in draft.sentences)
    return [AIMessage(content=prose or "—", id=last.id)]


def _answer(name: str) -> Callable[..., dict[str, Any]]:
    def node(state: ThreadState, runtime: Runtime[TurnContext]) -> dict[str, Any]:
        last = state["messages"][-1]
        draft = (read_draft(last) if isinstance(last, AIMessage) else None) or Draft()
        verdicts = [Verdict(v["text"], tuple(v["evidence"]), v["support"], v["because"]) for v in state["verdicts"]]
        ledger = read_ledger(state["messages"])
        answer = conclude(runtime.context, ledger, verdicts, draft, name, tuple(state["notes"]))
        answer = headed(answer, runtime.context.assumptions).model_copy(update={"tokens": state["tokens"]})
        keyed = " ".join(f"{c.text} {''.join(f'[{k}]' for k in c.evidence)}" for c in answer.claims) or answer.answer
        asides = [RemoveMessage(id=m.id) for m in _asides(this_turn(state["messages"])) if m.id and m.id != last.id]
        final = AIMessage(content=keyed, id=last.id, additional_kwargs={"said": [[c.text, list(c.evidence)] for c in answer.claims]})
        old = [RemoveMessage(id=m.id) for m in before_last(state["messages"], KEEP_TURNS) if m.id]
        return {
            "messages": [*old, *asides, final],
            "answers": [*state["answers"], answer.model_dump(mode="json")][-KEEP_TURNS:],
            "kept": len(state["messages"]) - len(asides) - len(old),
            "turns": state["turns"] + 1,
        }

    return node


def _asides(turn: list[AnyMessage]) -> list[AnyMessage]:
    """What only served to get the answer right: hints, objections and drafts."""
    return [m for m in turn[1:] if isinstance(m, HumanMessage) or (isinstance(m, AIMessage) and not m.tool_calls)]
