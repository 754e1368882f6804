"""What the texts of a record say of a notion: affirmed, denied, or not said of this patient; read by the one context module."""

import re

from retrieval.concepts.context import statuses

_CLAUSE = re.compile(r"(?<=[.;!?])\s+|[;。；\n！？]")
_OTHERS = frozenset({"family", "uncertain", "hypothetical"})


def clauses(text: str) -> list[str]:
    """The sentences and parts of sentences of a text, as they can be shown."""
    return [c.strip(" .") for c in _CLAUSE.split(text) if c and c.strip(" .")]


def stance(text: str, pattern: re.Pattern[str], *, acute: bool = False) -> bool | None:
    """True when a text affirms the notion of this patient, False when it denies it, None when it says neither.

    Args:
        text: One text of the record.
        pattern: Words of the notion.
        acute: A remark on the past does not count.
    """
    said: bool | None = None
    for match in pattern.finditer(text):
        status = statuses(text, match.start(), match.end())
        if status & _OTHERS or (acute and "historical" in status):
            continue
        if "negated" not in status:
            return True
        said = False
    return said


def kin(text: str, pattern: re.Pattern[str]) -> bool:
    """Whether a text says the notion of a relative."""
    found = [statuses(text, m.start(), m.end()) for m in pattern.finditer(text)]
    return any("family" in status and "negated" not in status for status in found)
