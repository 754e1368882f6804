"""Signing as a small LangGraph: ready? → show the text and wait for a person (`interrupt`) → freeze.

No other code seals a report: what stands before the interrupt has no name to sign with, and what comes after it runs only when a person
resumed it with a name and the digest of the text that was shown.
"""

from typing import Any, TypedDict

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, interrupt

from agent.audit.ledger import Ledger
from tools.errors import BadInput
from tools.reports.document.record import frozen_text, text_digest
from tools.reports.document.signing import obstacles, recorded, seal
from tools.reports.document.store import ReportStore


class SigningState(TypedDict, total=False):
    """One signing: which report, what the person gave, and why it could not be taken."""

    document: str
    name: str
    seen: str
    problem: str


Signing = CompiledStateGraph[SigningState, None, SigningState, SigningState]


def build_signing(store: ReportStore, ledger: Ledger, checkpointer: BaseCheckpointSaver[Any]) -> Signing:
    """Compile the graph over the reports of this machine.

    Args:
        store: Where reports and the register of signatures are.
        ledger: Where a signature is recorded before it counts; the report carries the hash of that entry.
        checkpointer: Holds a signing that waits for its person.
    """
    graph = StateGraph(SigningState)

    def ready(state: SigningState) -> SigningState:
        """Refuse what cannot be signed before anybody is asked."""
        document = store.load(state["document"])
        told = obstacles(document).told()
        if document.signature is not None:
            raise BadInput(f"this report was signed by {document.signature.name} already: write an addendum")
        if told is not None:
            raise BadInput(told[1] if document.language == "zh" else told[0])
        return {"problem": ""}

    def person(state: SigningState) -> SigningState:
        """Wait until a person signs the text that is shown here."""
        document = store.load(state["document"])
        shown = {"sha256": text_digest(document), "text": frozen_text(document), "problem": state.get("problem", "")}
        given: dict[str, str] = interrupt(shown)
        return {"name": str(given.get("name", "")), "seen": str(given.get("sha256", ""))}

    def freeze(state: SigningState) -> Command[Any]:
        """Seal, register and keep; what cannot be sealed goes back to the person."""
        document = store.load(state["document"])
        try:
            sealed = seal(document, state["name"], state["seen"])
        except BadInput as refused:
            return Command(update={"problem": str(refused)}, goto="person")
        sealed = recorded(sealed, ledger.signature(sealed).hash)
        store.register(sealed)
        store.append(sealed)
        return Command(update={"problem": ""}, goto=END)

    graph.add_node("ready", ready)
    graph.add_node("person", person)
    graph.add_node("freeze", freeze, destinations=("person", END))
    graph.add_edge(START, "ready")
    graph.add_edge("ready", "person")
    graph.add_edge("person", "freeze")
    return graph.compile(checkpointer=checkpointer)
