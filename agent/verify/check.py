"""Whether a sentence is carried by the evidence it cites: a pure function of both.

The order of the checks is the order of the reasons a person sees: keys, numbers, side, drug, population, edition, polarity, relevance. What
the rules object is then weighed by a fitted second reading (`opinion`), which may also object where they do not.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from agent.answering.answer import Support
from agent.answering.draft import Draft
from agent.verify.align import texts_for
from agent.verify.compare import compared
from agent.verify.facts.instances import readings
from agent.verify.facts.named import irrelevant, related, wrong_drug, wrong_group, wrong_issuer, wrong_population, wrong_side
from agent.verify.facts.verbatim import carried
from agent.verify.numbers import numbers_of
from agent.verify.opinion.limits import other_limit
from agent.verify.opinion.model import second_reading
from agent.verify.opinion.rivals import rival, turned_over
from agent.verify.opinion.turned import turned_word
from agent.verify.opinion.use import advice_turned
from agent.verify.placeholders import fill
from agent.verify.record import differs_from_record, is_pattern, unsupported
from agent.verify.text import normalise
from agent.verify.typed.judge import supporting
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence

_TEXT = patterns("agent.verify")

_MARKED = _TEXT.regex("check_marked")
# What the planner writes before the wording of an edition that has been replaced.
_HEADED = _TEXT.regex("check_headed")
_ORDER = re.compile(
    tomllib.loads(files("agent").joinpath("data/wording.toml").read_text(encoding="utf-8"))["order"]["words"], re.IGNORECASE
)
_SAYS_SO = _TEXT.regex("check_says_so")
_OLD = _TEXT.regex("check_old")
# That something is safe, and what in the evidence may carry it.
_SAFE = _TEXT.regex("check_safe")
_SAFE_THERE = _TEXT.regex("check_safe_there")
# Evidence that gives conditions and advice, not one patient's values.
_PROSE = frozenset({"guideline", "document", "drug_graph"})
# How an objection to a number begins.
_NUMBER = "the number"
_QUOTED_AS: dict[str, Support] = {"score": "calculated", "lab": "measured", "ct": "measured"}


@dataclass(frozen=True)
class Verdict:
    """What became of one sentence: `support` when it passed, else `because`."""

    text: str
    evidence: tuple[str, ...]
    support: Support | None
    because: str | None = None


def verify(draft: Draft, evidence: Mapping[str, Evidence]) -> list[Verdict]:
    """Check each sentence of `draft` on its own, in order."""
    return [check(s.text, s.evidence, evidence) for s in draft.sentences]


def check(text: str, keys: tuple[str, ...], evidence: Mapping[str, Evidence]) -> Verdict:
    """Whether `text` is supported by the evidence under `keys`.

    Args:
        text: One sentence; may hold placeholders such as `{{urea@2025-03-01}}`.
        keys: Keys it cites.
        evidence: All evidence of the thread by key.

    Returns:
        The sentence with placeholders filled, and its support or the first reason against it.
    """
    if not keys:
        return Verdict(text, keys, None, "it cites no evidence")
    unknown = [k for k in keys if k not in evidence]
    if unknown:
        return Verdict(text, keys, None, f"no tool returned {', '.join(unknown)}")
    cited = [evidence[k] for k in keys]
    filled, problem = fill(text, cited)
    if problem:
        return Verdict(text, keys, None, problem)
    support, because = _judge(filled, cited)
    return Verdict(filled, keys, support, because)


def _judge(text: str, cited: list[Evidence]) -> tuple[Support | None, str | None]:
    edition = _edition(text, cited)
    if edition:
        return None, edition
    if any(e.kind == "document" for e in cited) and _ORDER.search(text):
        return None, "an order in a document is not a statement"
    quoted = _quoted(text, cited)
    if quoted is not None:
        return quoted, None
    marked, body = bool(_MARKED.match(text)), _MARKED.sub("", text)
    ruled = any(e.inferred or is_pattern(e) for e in cited)
    if marked and not ruled:
        return None, "an inference belongs to a rule with premises, and none of them is cited"
    if unbacked := _unbacked_safety(body, cited):
        return None, unbacked
    if carried(body, [t for e in cited for t in (e.text, e.text_zh) if t]) and len(cited) == 1:
        reason = None  # in the evidence's own words nothing is left to compare
    else:
        reason = second_reading(*_read(body, cited))
    if reason:
        return None, reason
    if marked:
        return "inferred", None
    if any(e.inferred for e in cited) and not _SAYS_SO.search(body):
        return None, "it rests on an inference and is not marked as one"
    return _support_of(body, cited), None


def objection_of(text: str, cited: list[Evidence]) -> tuple[str, str | None]:
    """A claim as it is read, without the mark of an inference, and what the rules object to it."""
    body, _, reason = _read(_MARKED.sub("", text), cited)
    return body, reason


def _read(body: str, cited: list[Evidence]) -> tuple[str, list[Evidence], str | None]:
    """The claim, its evidence and what the rules object to it.

    A value that is an instance of a range or limit of the evidence is read as that range ("ACT 14" as "ACT 5 to 15"): what is
    objected is then said of the reading, no longer of the number.
    """
    reason = _against(body, cited)
    if reason is None:
        return body, cited, None
    first: tuple[str, str] | None = None
    for other in readings(body, cited, texts_for(body, cited)):
        again = _against(other, cited)
        if again is None:
            return other, cited, None
        first = first or (other, again)
    if first is None or not reason.startswith(_NUMBER):
        return body, cited, reason
    return first[0], cited, first[1]


def _against(text: str, cited: list[Evidence]) -> str | None:
    reader = supporting(text, cited, texts_for(text, cited))
    if reader is not None:
        return (None if reader == "scale" else _contrary(text, cited)) or differs_from_record(text, cited)
    return _contrary(text, cited) or _turned(text, cited) or compared(text, cited) or irrelevant(text, cited) or _rival(text, cited)


def _rival(text: str, cited: list[Evidence]) -> str | None:
    """What the evidence has, where the rest of the claim stands, in the place of one of its values."""
    texts = texts_for(text, cited)
    if turned_over(text, texts):
        return "the evidence states and denies these the other way round"
    if all(e.kind in _PROSE for e in cited):
        if other_limit(text, texts):
            return "where it stands the evidence has another limit"
        if advice_turned(text, texts):
            return "the evidence advises the contrary"
    kind = rival(text, texts)
    return f"where it stands the evidence has another value ({kind})" if kind else None


def _turned(text: str, cited: list[Evidence]) -> str | None:
    there = turned_word(text, texts_for(text, cited))
    return f"nearly in its words the evidence has {there!r}" if there else None


def _unbacked_safety(text: str, cited: list[Evidence]) -> str | None:
    """A claim that something is safe, where the evidence says nothing of the kind: no weighing lets that pass."""
    said = _SAFE.search(text)
    if said is None or any(_SAFE_THERE.search(t) for e in cited for t in (e.text, e.text_zh or "")):
        return None
    return f"the evidence does not say {said.group().strip()!r}"


def _support_of(text: str, cited: list[Evidence]) -> Support:
    if numbers_of(text):
        kinds = {e.kind for e in cited}
        if kinds <= {"score"}:
            return "calculated"
        if kinds <= {"lab", "ct"}:
            return "measured"
    return "verified"


def quoted_as(cited: Sequence[Evidence]) -> Support:
    """Support of a sentence that is the wording of its records."""
    if any(e.inferred for e in cited):
        return "inferred"
    kinds: set[Support] = {_QUOTED_AS.get(e.kind, "quoted") for e in cited}
    return kinds.pop() if len(kinds) == 1 else "quoted"


def _edition(text: str, cited: list[Evidence]) -> str | None:
    dated = all(e.year and re.search(rf"(?<!\d){e.year}(?!\d)", text) for e in cited)  # "GOLD 2025 starts ...": the edition is named
    if cited and all(not e.current for e in cited) and not dated and not _OLD.search(text):
        return "the cited edition is superseded and the sentence does not say so"
    return None


def _quoted(text: str, cited: list[Evidence]) -> Support | None:
    """Support of a sentence that stands in its evidence, whole sentences or clauses; several cited pieces must each hold a part."""
    marked, body = bool(_MARKED.match(text)), normalise(_HEADED.sub("", _MARKED.sub("", text)))
    for item in cited:
        for source in (item.text, item.text_zh, *item.citations):
            if source and _stands_in(body, normalise(source)):
                if any(not related(text, other) for other in cited if other is not item):
                    return None
                if marked != item.inferred and not (item.inferred and _MARKED.match(source)):
                    return None
                return "inferred" if item.inferred else _QUOTED_AS.get(item.kind, "quoted")
    return None


def _stands_in(body: str, source: str) -> bool:
    at = source.find(body)
    if at < 0 or len(body) < 4:
        return False
    before, after = source[:at].rstrip(), source[at + len(body) :].lstrip()
    return (not before or before[-1] in ".。;；:：!?！？") and (not after or after[0] in ".。;；!?！？")


def _contrary(text: str, cited: list[Evidence]) -> str | None:
    pool = " \n ".join(f"{e.text} \n {e.text_zh or ''}" for e in cited)
    years = frozenset(e.year for e in cited if e.year) | frozenset(
        int(y) for e in cited for y in re.findall(r"(?:19|20)\d{2}", f"{e.text} {e.source} {e.locator or ''} {e.key}")
    )
    return (
        unsupported(text, cited, years)
        or wrong_side(text, cited, pool)
        or wrong_drug(text, cited, pool)
        or wrong_group(text, cited)
        or wrong_population(text, cited, pool)
        or wrong_issuer(text, cited)
    )
