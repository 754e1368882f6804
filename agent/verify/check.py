"""Whether a sentence is carried by the evidence it cites: a pure function of both.

The order of the checks is the order of the reasons a person sees: keys, numbers, side, drug, population, edition, polarity, relevance.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from agent.answering.answer import Support
from agent.answering.draft import Draft
from agent.reading.lexicon import DRUG_KINDS, ids, language_of, narrower, terms
from agent.verify.align import content, texts_for
from agent.verify.compare import compared
from agent.verify.facts.instances import readings
from agent.verify.numbers import labels_of, numbers_of, sides_of
from agent.verify.placeholders import fill
from agent.verify.record import is_pattern, unsupported
from agent.verify.text import clauses, normalise
from retrieval.concepts.severity import grades
from tools.evidence import Evidence

_MARKED = re.compile(r"^\s*(?:inference|inferred|推断|推论)\s*[:：]\s*", re.IGNORECASE)
# What the planner writes before the wording of an edition that has been replaced.
_HEADED = re.compile(r"^\s*(?:superseded edition\s*:|旧版（已被取代）：)\s*", re.IGNORECASE)
_ORDER = re.compile(
    tomllib.loads(files("agent").joinpath("data/wording.toml").read_text(encoding="utf-8"))["order"]["words"], re.IGNORECASE
)
_SAYS_SO = re.compile(r"\binfer\w*|推断|\bmay\b|\bmight\b|可能", re.IGNORECASE)
_OLD = re.compile(
    r"\b(superseded|(earlier|older|previous|former) edition|outdated|replaced|no longer current)\b"
    r"|旧版|已被取代|已被替代|早期版本|上一版|已更新",
    re.IGNORECASE,
)
# Terms whose mention must stand in the evidence too; others count only towards relevance.
_HARD = frozenset({"drug", "drug_class", "disease", "comorbidity", "score", "analyte", "organism", "action", "finding"})
# What a measurement is called; its number and unit say which it is.
_MEASURES = frozenset({"lung_volume", "mean_density", "laa950", "perc15", "mean_value", "median_value"})
_QUOTED_AS: dict[str, Support] = {"score": "calculated", "lab": "measured", "ct": "measured"}
_POPULATIONS = ("children", "pregnancy", "breastfeeding", "elderly", "immunocompromised")
# Share of a sentence's content that its evidence must hold; set on tests/agent/verify_cases.jsonl.
_COVERAGE = 0.4
# Weight of shared content below which a citation has nothing to do with its sentence.
_RELATED = 1.0


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
    reason = _against(body, cited)
    if reason and any(_against(r, cited) is None for r in readings(body, cited, texts_for(body, cited))):
        reason = None
    if reason:
        return None, reason
    if marked:
        return "inferred", None
    if any(e.inferred for e in cited) and not _SAYS_SO.search(body):
        return None, "it rests on an inference and is not marked as one"
    return _support_of(body, cited), None


def _against(text: str, cited: list[Evidence]) -> str | None:
    return _contrary(text, cited) or compared(text, cited) or _irrelevant(text, cited)


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
    if cited and all(not e.current for e in cited) and not _OLD.search(text):
        return "the cited edition is superseded and the sentence does not say so"
    return None


def _quoted(text: str, cited: list[Evidence]) -> Support | None:
    """Support of a sentence that stands in its evidence, whole sentences or clauses; several cited pieces must each hold a part."""
    marked, body = bool(_MARKED.match(text)), normalise(_HEADED.sub("", _MARKED.sub("", text)))
    for item in cited:
        for source in (item.text, item.text_zh, *item.citations):
            if source and _stands_in(body, normalise(source)):
                if any(not _related(text, other) for other in cited if other is not item):
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
        or _wrong_side(text, cited, pool)
        or _wrong_drug(text, cited, pool)
        or _wrong_group(text, cited)
        or _wrong_population(text, cited, pool)
    )


def _wrong_side(text: str, cited: list[Evidence], pool: str) -> str | None:
    said = sides_of(text)
    known = sides_of(pool)
    for item in cited:
        known |= {"left", "right"} if item.side == "both" else ({item.side} if item.side else set())
    wrong = said - known
    return f"the evidence does not say {' and '.join(sorted(wrong))}" if wrong else None


def _known_terms(cited: list[Evidence], pool: str) -> frozenset[str]:
    subjects = " ; ".join(" ; ".join(e.subjects).replace("_", "-") for e in cited)
    spoken = " ; ".join(" ; ".join(e.subjects).replace("_", " ") for e in cited)
    sources = " ; ".join(f"{e.source} {e.population or ''} {e.locator or ''}" for e in cited)
    return ids(f"{pool} ; {subjects} ; {spoken} ; {sources}") | frozenset(s for e in cited for s in e.subjects)


def covered(term: str, known: frozenset[str]) -> bool:
    """Whether `known` holds the term, a narrower one, or what it is a state of and not its opposite."""
    if term in known or narrower(term) & known:
        return True
    state = terms().get(term)
    return state is not None and state.measured != term and state.measured in known and state.opposite not in known


def _wrong_drug(text: str, cited: list[Evidence], pool: str) -> str | None:
    known = _known_terms(cited, pool)
    for term in sorted(ids(text, *DRUG_KINDS)):
        if not covered(term, known):
            return f"the evidence does not speak of {terms()[term].name('en')}"
    return None


def _wrong_group(text: str, cited: list[Evidence]) -> str | None:
    """A drug or an advice given to another severity or class than in the evidence, where the evidence goes through them one by one."""
    advice = ids(text, *DRUG_KINDS, "action")
    pieces = [p for e in cited for t in (e.text, e.text_zh) if t for p in re.split(r"(?<=\.)\s|。", t)]
    for read in (grades, labels_of):
        said = read(text)
        if not said:
            continue
        parts = pieces if read is grades else [c for p in pieces for c in clauses(p)]
        if read is labels_of and not said <= frozenset().union(*(read(p) for p in parts)):
            return f"the evidence does not speak of {', '.join(sorted(said))}"
        sorted_out = [p for p in parts if read(p)]
        given = [p for p in sorted_out if advice and all(covered(a, ids(p)) for a in advice)]
        if given and not any(said & read(p) for p in given):
            return f"the evidence says this of {', '.join(sorted(frozenset().union(*(read(p) for p in given))))}"
    return None


def _wrong_population(text: str, cited: list[Evidence], pool: str) -> str | None:
    known = ids(pool + " ".join(f"{e.population or ''} {e.source}" for e in cited))
    said = ids(text)
    for population in _POPULATIONS:
        if population in said and population not in known:
            return f"the evidence is not about {terms()[population].name('en')}"
    return None


def _related(text: str, item: Evidence) -> bool:
    """Whether one piece of evidence shares anything of substance with the sentence."""
    mine = content(text)
    theirs = set(content(f"{item.text} \n {item.text_zh or ''}")) | {f"@{s}" for s in _known_terms([item], "")}
    return sum(w for t, w in mine.items() if t in theirs) >= _RELATED


def _irrelevant(text: str, cited: list[Evidence]) -> str | None:
    text = re.sub(r"\bprone to\b", "likely to have", text, flags=re.IGNORECASE)
    stray = [e.key for e in cited if len(cited) > 1 and not _related(text, e)]
    if stray:
        return f"{', '.join(stray)} has nothing to do with the sentence"
    pool = " \n ".join(f"{e.text} \n {e.text_zh or ''}" for e in cited)
    known = _known_terms(cited, pool)
    missing = [t for t in ids(text, *_HARD) - _MEASURES if not covered(t, known)]
    if missing:
        return f"the evidence does not speak of {terms()[min(missing)].name('en')}"
    theirs = set(content(pool)) | {f"@{t}" for t in known} | set(content(" ".join(e.source for e in cited)))
    spoken = language_of(text)
    same_language = any(language_of(t) == spoken for e in cited for t in (e.text, e.text_zh or "") if t)
    mine = {t: w for t, w in content(text).items() if same_language or t[0] in "@#!<>"}
    held = sum(w for t, w in mine.items() if t in theirs or t[0] in "#<>" or (t.startswith("@") and covered(t[1:], known)))
    if not mine or held / sum(mine.values()) < _COVERAGE:
        return "the cited evidence does not say this"
    return None
