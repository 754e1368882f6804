"""What the second opinion sees of a claim and its evidence: every comparison on its own, and how much of the claim stands there."""

from collections.abc import Callable, Sequence

from agent.reading.lexicon import ids, language_of, terms
from agent.verify import compare, record
from agent.verify.align import Place, content, place, texts_for
from agent.verify.binding import exchanged, reordered, turned_number
from agent.verify.contrast import contrasts, otherwise
from agent.verify.facts.bands import outside_band
from agent.verify.facts.imaging import compared_wrong, other_side, remarked
from agent.verify.facts.order import turned_round
from agent.verify.facts.rhythm import rhythms, written
from agent.verify.facts.segments import misbound
from agent.verify.groups import misplaced
from agent.verify.polarity import denial
from agent.verify.roles import reversed_roles
from agent.verify.states import opposite_state
from tools.evidence import Evidence

_MOST = 4.0


def features(claim: str, cited: Sequence[Evidence], first: str | None) -> dict[str, float]:
    """Features of a sentence against the evidence it cites.

    Args:
        claim: The sentence.
        cited: Its evidence.
        first: Name of the comparison that refuses it, None where none does.
    """
    items = list(cited)
    texts = texts_for(claim, items)
    pool = " \n ".join([*texts, *(e.source for e in items)])
    whole = place(claim, texts)
    out = {f"rule {name}": 1.0 for name, differs in _rules(claim, items, texts, whole) if differs}
    out |= {f"contrast {name}": 1.0 for name in otherwise(claim, whole, pool)}
    out |= {f"fact {name}": min(value, _MOST) for name, value in _facts(claim, items, texts) if value > 0}
    out |= _held(claim, items, texts, whole)
    if first is not None:
        out["refused"] = 1.0
    return out


def _rules(claim: str, items: list[Evidence], texts: list[str], whole: Place) -> list[tuple[str, bool]]:
    structured = all(e.kind in record.RECORDS for e in items)
    checks: list[tuple[str, Callable[[], object]]] = [
        ("record", lambda: record.differs_from_record(claim, items)),
        ("state", lambda: opposite_state(claim, texts)),
        ("limits", lambda: compare.limits(claim, whole)),
        ("presence", lambda: compare.presence(claim, texts, structured)),
        ("absent", lambda: compare.only_absent(claim, texts)),
        ("denial", lambda: compare.denied(claim, whole, texts)),
        ("roles", lambda: reversed_roles(claim, texts)),
        ("exchanged", lambda: exchanged(claim, texts)),
        ("turned", lambda: turned_number(claim, texts)),
        ("reordered", lambda: reordered(claim, whole.sentence)),
        ("misplaced", lambda: misplaced(claim, texts)),
        ("elsewhere", lambda: compare.elsewhere(claim, whole, texts)),
    ]
    return [(name, bool(ask())) for name, ask in checks]


def _facts(claim: str, items: list[Evidence], texts: list[str]) -> list[tuple[str, float]]:
    said, known = rhythms(claim), frozenset().union(*(rhythms(t) for t in texts))
    return [
        ("band", outside_band(claim, texts)),
        ("rhythm", misbound(claim, texts, rhythms, written())),
        ("unknown rhythm", float(bool(said - known) and bool(known))),
        ("order", turned_round(claim, texts)),
        ("side", other_side(claim, texts)),
        ("larger side", float(compared_wrong(claim, texts))),
        *((f"image {kind}", 1.0) for kind in remarked(claim, items, texts)),
    ]


def _held(claim: str, items: list[Evidence], texts: list[str], whole: Place) -> dict[str, float]:
    """How much of the claim stands in its evidence, by kind of content."""
    mine = content(claim)
    pool = content(" \n ".join([*texts, *(e.source for e in items)]))
    here = content(whole.run)
    told = [t for t in mine if t[0] == "@"]
    words = [t for t in mine if t[0] not in "@#<>!"]
    gone = [t for t in told if t not in pool]
    hard = [t for t in gone if terms()[t[1:]].kind in ("drug", "drug_class", "organism", "disease", "finding", "analyte", "score")]
    near = denial(whole.run).statement
    return {
        "one": 1.0,
        "share": whole.share,
        "words in place": _part(words, here),
        "words in evidence": _part(words, pool),
        "terms in place": _part(told, here),
        "terms missing": min(float(len(gone)), 3.0),
        "hard terms missing": min(float(len(hard)), 3.0),
        "denial differs": float(denial(claim).statement != near),
        "across languages": float(language_of(claim) != language_of(" ".join(texts))),
        "structured": float(all(e.kind in record.RECORDS for e in items)),
        "length": min(len(mine) / 20.0, 2.0),
        "contrast values": float(sum(bool(c.of(claim)) for c in contrasts())) / 5.0,
        "terms": min(float(len(ids(claim))), 8.0) / 4.0,
    }


def _part(tokens: list[str], there: object) -> float:
    return sum(t in there for t in tokens) / len(tokens) if tokens else 1.0  # type: ignore[operator]
