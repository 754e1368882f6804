"""Why a search has no answer, in both languages."""

from collections.abc import Sequence

from retrieval.guidelines.question import Question
from retrieval.messages.catalogue import Pair, messages

pair = messages("retrieval.index").pair


def nearest() -> Pair:
    """Neither an answer nor silence."""
    return pair("no passage answers this directly; these are the nearest")


def nothing_fits(absent: Sequence[str]) -> Pair:
    """No passage passes; `absent` are names and words of the question that no passage holds."""
    if not absent:
        return pair("no passage answers this well enough")
    return pair("no passage answers this well enough; nothing here on: {absent}", absent=_both(", ".join(absent)))


def unknown_name(question: Question) -> Pair | None:
    """The question is about a name that nobody here knows; None where it is not."""
    if not question.names:
        return None
    return pair(
        "{names}: the question is about a name that is unknown to the corpus and the lexicon; a similar one is not offered in its place",
        names=_both(", ".join(map(repr, question.names))),
    )


def filtered_out(filters: str) -> Pair:
    """No passage passes the filters."""
    return pair("no passage of the index passes the filters {filters}", filters=filters)


def no_edition(issuers: Sequence[str], year: int | None, years: Sequence[int]) -> Pair:
    """The edition that is asked for is not here; `years` are."""
    who = _both(" ".join(issuers)) if issuers else pair("any issuer")
    here = _both(", ".join(map(str, years))) if years else pair("none")
    return pair(
        "no edition of {who} of {year} in the index under these filters; it has {here}",
        who=who, year=year or 0, here=here,
    )  # fmt: skip


def _both(text: str) -> Pair:
    return text, text
