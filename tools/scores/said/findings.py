"""What the record says about a yes-or-no input: conditions, symptoms, findings and medicines, read by the one context module.

A plain mention answers yes, a denied one no; a relative's, a doubted or a supposed one answers nothing, and silence neither.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from retrieval.concepts.context import statuses
from retrieval.messages.patterns import patterns
from tools.case.record import Case
from tools.scores.base import Field

# Words that belong to a term (`history of dvt`) and are a cue of the context module too: the status is read of what follows them.
_CUE_IN_TERM = patterns("tools.scores").regex("cue_in_term")


# A member of a list that brings its own cue ("no surgery, previous DVT") is not denied by what stands before the comma.
_BEGINS = re.compile(r"[,;，；、]\s*$")


class Stated(NamedTuple):
    """One answer with the words that gave it and where they stand."""

    value: bool
    text: str
    key: str


def stated(field: Field, case: Case) -> Stated | None:
    """What the case says about the flag `field`; yes wins over no where both are said of different times or places."""
    p = case.presentation
    sources = (
        ("C-conditions", [c.name for c in case.patient.conditions]),
        ("C-presentation", [*p.findings, *p.symptoms]),
    )
    denied: Stated | None = None
    for key, texts in sources:
        for text in texts:
            for value in answers(field, text):
                if value:
                    return Stated(True, text, key)
                denied = denied or Stated(False, text, key)
    for m in case.medications:
        if any(d in m.name.casefold() for d in field.drugs):
            return Stated(True, m.name, "C-medications")
    return denied


def answers(field: Field, text: str) -> Iterator[bool]:
    """The answer of each mention of the field's terms in `text`; a doubted, supposed or relative's one gives none."""
    return answered(field, text, _mentions(field, text))


def answered(field: Field, text: str, places: Iterable[tuple[int, int]]) -> Iterator[bool]:
    """The answer of each of these mentions."""
    for start, end in places:
        cue = _CUE_IN_TERM.match(text, start, end)
        said = statuses(text, cue.end() if cue and cue.end() < end else start, end)
        if said & {"family", "uncertain", "hypothetical"}:
            continue
        fresh = cue is not None and _BEGINS.search(text, 0, start) is not None
        if "negated" in said and not fresh:
            yield False
        elif not (field.current and "historical" in said):
            yield True


def _mentions(field: Field, text: str) -> Iterator[tuple[int, int]]:
    folded = text.casefold()
    if len(folded) != len(text):
        folded = text.lower() if len(text.lower()) == len(text) else text
    hidden = [m.span() for word in field.except_in for m in re.finditer(re.escape(word), folded)]
    for term in field.terms:
        left = r"(?<![a-z])" if term[:1].isascii() else ""
        for m in re.finditer(left + re.escape(term), folded):
            if not any(a <= m.start() and m.end() <= b for a, b in hidden):
                yield m.span()
