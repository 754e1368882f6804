"""What of a turn's evidence is about this patient: the bottom lines of the bedside room, and the notes under the drugs that are shown.

Keys `B-<topic>-<n>` are judgements (`-0` is the bottom line), `P-<drug>` notes on one drug; tools attach both (`tools.bedside.attach`).
"""

from collections.abc import Mapping, Sequence

from agent.turn.ledger import ToolStep
from retrieval.drugs.graph import DrugGraph
from tools.bedside.judging import OF_DRUGS
from tools.evidence import Evidence

_MOST_NOTES = 3


def bedside(steps: Sequence[ToolStep]) -> list[Evidence]:
    """Judgements of the turn: the bottom line of every topic, then what stands under each, in the order the tools gave them."""
    found = {e.key: e for s in steps for e in s.result.evidence if e.key.startswith("B-")}
    return sorted(found.values(), key=lambda e: not e.key.endswith("-0"))


def patient_notes(shown: Sequence[Evidence], ledger: Mapping[str, Evidence]) -> list[Evidence]:
    """Notes on the drugs that the shown evidence names, in order of mention; a drug that a bedside sentence deals with needs none."""
    notes = {key.removeprefix("P-"): e for key, e in ledger.items() if key.startswith("P-")}
    if not notes:
        return []
    graph = DrugGraph.load()
    dealt = {d.id for e in shown if e.key.startswith(OF_DRUGS) for d in graph.mentions(e.text)}
    named = [d.id for e in shown if not e.key.startswith((*OF_DRUGS, "C-", "L-")) for d in graph.mentions(e.text)]
    return [notes[d] for d in dict.fromkeys(named) if d in notes and d not in dealt][:_MOST_NOTES]
