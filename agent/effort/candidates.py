"""Several drafts of a language model and the planner's own from the same evidence, weighed by the ledger."""

from collections.abc import Callable, Sequence

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from agent.answering.draft import Draft, read_draft
from agent.effort.weigh import best
from agent.models.calling import ModelFailed
from agent.turn.ledger import read_ledger
from retrieval.messages.catalogue import messages
from tools.evidence import Language

say = messages("agent.effort").say
Call = Callable[[Sequence[AnyMessage]], AIMessage]


def weighed(
    first: AIMessage, messages: Sequence[AnyMessage], planned: Draft | None, again: Call, language: Language
) -> tuple[AIMessage, str]:
    """The best of: the model's draft, a second one of it, the planner's.

    Args:
        first: The model's message that hands in its draft.
        messages: The conversation that it answered.
        planned: What the planner composes from the same tool results.
        again: One more call of the model, without tools.
        language: Of the answer.

    Returns:
        The message to verify, and a note for the person where it is not the model's first.
    """
    drafts = {"first": read_draft(first), "second": _second(messages, again, language), "planner": planned}
    kept = {name: d for name, d in drafts.items() if d is not None and (d.sentences or name == "first")}
    question = next(str(m.text) for m in reversed(messages) if isinstance(m, HumanMessage) and not m.additional_kwargs.get("aside"))
    name = list(kept)[best(list(kept.values()), question, read_ledger(messages).evidence)]
    if name == "first":
        return first, ""
    which = say(language, "the model's second") if name == "second" else say(language, "the planner's")
    note = say(language, "of {n} drafts, weighed by their evidence, {which} was chosen", n=len(kept), which=which)
    return AIMessage(content=kept[name].model_dump_json(), id=first.id), note


def _second(messages: Sequence[AnyMessage], again: Call, language: Language) -> Draft | None:
    """A second draft; a model that fails here has only one."""
    try:
        return read_draft(
            again(
                [
                    *messages,
                    HumanMessage(
                        content=say(
                            language,
                            "Hand in the answer once more, in another form: the statement that answers the question first, "
                            "each sentence with its evidence keys, no more than five.",
                        ),
                        additional_kwargs={"aside": True},
                    ),
                ]
            )
        )
    except ModelFailed:
        return None
