"""What a question wants treated, where it names it: `treatment of gout`, `how do I treat a fracture`."""

from retrieval.messages.patterns import patterns
from tools.bedside.record.vocabulary import words

_NAMED = patterns("tools.bedside").regex("treated")


def treated(question: str) -> str | None:
    """The thing to be treated in the question's own words; None where it names none, or only the patient or what is open."""
    found = _NAMED.search(question)
    if found is None:
        return None
    named = next(text for text in found.groups() if text is not None).strip()
    return None if words("treated_in_general").fullmatch(named) else named
