"""What the typed readers say of a claim: the first field in which it differs, or that every field of it is the record's."""

from collections.abc import Callable, Iterator, Sequence

from agent.verify.facts.fields import own_words
from agent.verify.typed import effects, joined, orders, pairing, panel, places, points, scale
from agent.verify.typed.siblings import sibling
from tools.evidence import Evidence

_IMAGES = frozenset({"ct", "model", "report", "case", "similar_case", "document"})
# Readers that are too often wrong to object by themselves; the second reading weighs them.
_WEAK = frozenset({"pair of drugs"})
Check = Callable[[str, Sequence[str]], str | None]
_ANY: dict[str, Check] = {
    "effect": effects.opposed_effect,
    "joined": joined.joined_otherwise,
    "orders": orders.ordered_otherwise,
}
_ON_IMAGES: dict[str, Check] = {
    "worst": places.worst_elsewhere,
    "side": places.side_compared,
    "time": places.over_time,
}


def differing(claim: str, cited: Sequence[Evidence], texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names of the typed readers that find a difference, with the reason of each; what speaks surest comes first."""
    kinds = {e.kind for e in cited}
    if kinds == {"lab"} and (reason := panel.differing(claim, list(texts))):
        yield "panel", reason
    if kinds == {"score"} and (reason := _of_score(claim, texts)):
        yield "score", reason
    if kinds <= _IMAGES:
        yield from ((name, found) for name, check in _ON_IMAGES.items() if (found := check(claim, texts)))
    if other := sibling(claim, [t for e in cited for t in (e.text, e.text_zh or "", e.source)]):
        yield "sibling", f"the evidence speaks of another {other[0].replace('_', ' ')}"
    if (kind := pairing.exchanged_pair(claim, texts)) is not None:
        yield ("pair of drugs" if kind == "drug" else "pair"), f"the evidence pairs these otherwise ({kind})"
    yield from ((name, found) for name, check in _ANY.items() if (found := check(claim, texts)))


def objection(claim: str, cited: Sequence[Evidence], texts: Sequence[str]) -> str | None:
    """The first reason of a typed reader against a claim."""
    return next((reason for name, reason in differing(claim, cited, texts) if name not in _WEAK), None)


def _of_score(claim: str, texts: Sequence[str]) -> str | None:
    for text in texts:
        for agrees, reason in (points.judged(claim, text), scale.judged(claim, text) if len(texts) == 1 else (None, "")):
            if agrees is False:
                return reason
    return None


def supporting(claim: str, cited: Sequence[Evidence], texts: Sequence[str]) -> str | None:
    """Which reader finds every field of a claim in its record: `panel`, `points`, `scale`; None where none does."""
    kinds = {e.kind for e in cited}
    if kinds == {"lab"} and panel.agreeing(claim, list(texts)) and not own_words(panel.stated(claim), cited):
        return "panel"
    if kinds == {"score"} and len(texts) == 1 and _of_score(claim, texts) is None:
        for name, reader in (("scale", scale.judged), ("points", points.judged)):
            if reader(claim, texts[0])[0]:
                return name
    return None
