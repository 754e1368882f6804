"""What the second opinion looks at: the outcome of every check on its own, and how much of the claim stands in the evidence and where."""

import re
from collections.abc import Callable
from difflib import SequenceMatcher

from agent.reading.lexicon import language_of
from agent.verify import compare
from agent.verify.align import Place, content, pieces, place, texts_for
from agent.verify.binding import exchanged, reordered, turned_number
from agent.verify.contrast import contrasts, otherwise
from agent.verify.facts import named
from agent.verify.groups import misplaced
from agent.verify.numbers import numbers_of
from agent.verify.polarity import cues, denial
from agent.verify.record import RECORDS, differs_from_record
from agent.verify.roles import reversed_roles
from agent.verify.states import opposite_state
from tools.evidence import Evidence

_WORD = re.compile(r"[A-Za-z]+|\d+(?:\.\d+)?|[\u4e00-\u9fff]")
_KINDS = ("guideline", "drug_graph", "lab", "score", "case")


def features(claim: str, cited: list[Evidence]) -> dict[str, float]:
    """Named features of a claim and the evidence it cites; one that is not there is 0."""
    texts = texts_for(claim, cited)
    pool = " \n ".join(f"{e.text} \n {e.text_zh or ''}" for e in cited)
    whole = place(claim, texts)
    structured = all(e.kind in RECORDS for e in cited)
    out = {f"check:{name}": 1.0 for name, fires in _checks(claim, cited, texts, whole, pool).items() if fires()}
    out |= _denials(claim, whole, texts) | _contrasts(claim, cited, whole, texts) | _overlap(claim, texts, whole, pool)
    out |= _polarity(claim, whole)
    out["chinese"] = float(language_of(claim) == "zh")
    out["structured"] = float(structured)
    out |= {f"kind:{kind}": 1.0 for kind in _KINDS if cited and cited[0].kind == kind}
    return out


def _checks(claim: str, cited: list[Evidence], texts: list[str], whole: Place, pool: str) -> dict[str, Callable[[], object]]:
    structured = all(e.kind in RECORDS for e in cited)
    return {
        "group": lambda: named.wrong_group(claim, cited),
        "population": lambda: named.wrong_population(claim, cited, pool),
        "record": lambda: differs_from_record(claim, cited),
        "state": lambda: opposite_state(claim, texts),
        "limits": lambda: compare.limits(claim, whole),
        "presence": lambda: compare.presence(claim, texts, structured),
        "only_absent": lambda: compare.only_absent(claim, texts),
        "roles": lambda: reversed_roles(claim, texts),
        "exchanged": lambda: exchanged(claim, texts),
        "turned_number": lambda: turned_number(claim, texts),
        "facts": lambda: compare.facts_differ(claim, cited, texts),
        "reordered": lambda: not structured and reordered(claim, whole.sentence),
        "misplaced": lambda: not structured and misplaced(claim, texts),
        "elsewhere": lambda: not structured and compare.elsewhere(claim, whole, texts),
        "irrelevant": lambda: named.irrelevant(claim, cited),
    }


def _denials(claim: str, whole: Place, texts: list[str]) -> dict[str, float]:
    how = compare.denied(claim, whole, texts)
    return {f"denial:{how.removeprefix('it ').replace(' ', '_')}": 1.0} if how else {}


def _contrasts(claim: str, cited: list[Evidence], whole: Place, texts: list[str]) -> dict[str, float]:
    pool = " \n ".join([*texts, *(e.source for e in cited)])
    out = {f"contrast:{name}": 1.0 for name in otherwise(claim, whole, pool)}
    fired = compare.contrast_differs(claim, whole, pool, cited)
    if fired:
        out["contrasts"] = 1.0
        out["contrasts:modality" if "modality" in fired else "contrasts:other"] = 1.0
    for contrast in contrasts():
        said = contrast.of(claim)
        if said and not said & contrast.of(pool):
            out[f"unsaid:{contrast.name}"] = 1.0
    return out


def _overlap(claim: str, texts: list[str], whole: Place, pool: str) -> dict[str, float]:
    mine, there = content(claim), content(pool)
    total = sum(mine.values()) or 1.0
    held = sum(w for t, w in mine.items() if t in there)
    words = _WORD.findall(claim.lower())
    count = max(1, len(words))
    bag = set(_WORD.findall(pool.lower()))
    order, run = _in_order(words, texts)
    return {
        "share": whole.share,
        "held": held / total,
        "left": min(total - held, 8.0) / 8,
        "apart": held / total - whole.share,
        "terms_left": min(3, sum(1 for t in mine if t[0] == "@" and t not in there)) / 3,
        "length": min(len(words), 60) / 60,
        "in_order": order / count,
        "longest_run": run / count,
        "words": sum(w in bag for w in words) / count,
        "numbers": min(len(numbers_of(claim)), 4) / 4,
    }


def _in_order(words: list[str], texts: list[str]) -> tuple[int, int]:
    """Most words of the claim that one sentence of the evidence has in the same order, and the longest unbroken run."""
    order, run = 0, 0
    for piece in (p for t in texts for p in pieces(t)):
        blocks = SequenceMatcher(None, words, _WORD.findall(piece.text.lower()), autojunk=False).get_matching_blocks()
        found = sum(b.size for b in blocks)
        if found > order:
            order, run = found, max(b.size for b in blocks)
    return order, run


def _polarity(claim: str, whole: Place) -> dict[str, float]:
    mine, theirs = cues(claim), cues(whole.sentence)
    return {
        "denials": min(mine, 2) / 2,
        "denials_there": min(theirs, 2) / 2,
        "odd": float((mine - theirs) % 2),
        "denial_differs": float(denial(claim).statement != denial(whole.run).statement),
    }
