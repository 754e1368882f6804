"""Suppositions that still hold: `if his eGFR were 25?`, then `and the dose?` is still asked of an eGFR of 25."""

from collections.abc import Sequence

from agent.reading.followup import Kind, kinds_of, pattern
from agent.reading.lexicon import concepts
from agent.reading.patches import Supposed, supposed, supposes
from tools.case.patches import Patch
from tools.case.record import Case

# A message that is likelier than this to stand alone, or to go back, is asked of the real patient.
_LEAVES = 0.5
# What a message that names one of these asks, it asks of the real patient: another medicine is no part of the supposition.
_NEW_SUBJECT = ("disease", "drug", "drug_class", "organism", "finding")
_LEAVING: tuple[Kind, ...] = ("new", "back")


def held(messages: Sequence[str], case: Case | None) -> Supposed:
    """What the last of `messages` supposes, with what earlier ones supposed and it goes on from.

    Args:
        messages: Those that still count, oldest first.
        case: The record; without one nothing can be supposed about it.
    """
    patches: tuple[Patch, ...] = ()
    now = Supposed()
    for i, text in enumerate(messages):
        now = supposed(text, case, messages[i - 1] if i else "")
        if i and _goes_on(text, bool(now.patches)):
            named = {(p.kind, p.name) for p in now.patches}
            patches = (*(p for p in patches if (p.kind, p.name) not in named), *now.patches)
        else:
            patches = now.patches
    return Supposed(patches, now.unit_of)


def _goes_on(text: str, supposing: bool) -> bool:
    """Whether what was supposed holds on; another `if` stands for itself, unless it says that it comes on top."""
    if supposing and supposes(text):
        return bool(pattern("words", "also").search(text))
    if supposing:
        return True
    told = kinds_of(text)
    return not concepts(text, *_NEW_SUBJECT) and sum(told[k] for k in _LEAVING) < _LEAVES
