"""Laboratory values that only a note or report tells of (`BNP 1200 ng/L on arrival`): read where the laboratory list has none."""

from functools import lru_cache

from retrieval.concepts.context import statuses
from retrieval.messages.patterns import patterns
from tools.bedside.record.said import clauses
from tools.bedside.record.typed import measured_in
from tools.bedside.record.values import Value
from tools.bedside.record.vocabulary import numbers
from tools.case.record import Case

_ANOTHER = frozenset({"family", "hypothetical", "historical", "uncertain"})
_EARLIER = patterns("tools.bedside").regex("earlier_value")


@lru_cache(maxsize=512)
def noted_value(name: str, case: Case) -> Value | None:
    """The last value with its unit that notes and reports give for an analyte; None for one that is told of another time or person."""
    reports = [s.report or "" for s in case.studies]
    texts = [*case.presentation.findings, *reports, *(n.text for n in sorted(case.notes, key=lambda n: n.time or ""))]
    of_fluid = numbers().get(f"pleural_{name}")
    if of_fluid is not None and any(of_fluid.pattern.search(t) for t in texts):
        return None  # of the pleural fluid, not of the blood
    found: Value | None = None
    for clause in (c for text in texts for c in clauses(text)):
        read = measured_in(name, clause)
        if read is None:
            continue
        value, start, end = read
        if not statuses(clause, start, end) & _ANOTHER and not _EARLIER.search(clause):
            found = value
    return found
