"""How long until what is advised: intervals of a text in months."""

from dataclasses import dataclass

from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.units import number, to_months

_SPAN = patterns("tools.report_lint").regex("waits_span")


@dataclass(frozen=True)
class Wait:
    """One interval.

    Attributes:
        least: Months at the earliest.
        most: Months at the latest.
    """

    least: float
    most: float


def waits_in(text: str) -> list[Wait]:
    """All intervals that a text gives for what is to come."""
    out: list[Wait] = []
    for m in _SPAN.finditer(text):
        if m["yearly"]:
            out.append(Wait(12.0, 12.0))
            continue
        unit = to_months(m["u"] or m["zu"])
        low = number(m["n"] or m["zn"]) * unit
        high = m["to"] or m["zto"]
        out.append(Wait(low, number(high) * unit if high else low))
    return out
