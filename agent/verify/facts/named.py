"""What a claim names must be named in its evidence: sides, drugs, classes of severity, populations, and enough of its content."""

import re
from functools import lru_cache

from agent.reading.lexicon import DRUG_KINDS, ids, language_of, narrower, terms
from agent.verify.align import content, place
from agent.verify.numbers import labels_of, sides_of
from agent.verify.text import clauses
from retrieval.concepts.severity import grades
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence

# Terms whose mention must stand in the evidence too; others count only towards relevance.
_HARD = frozenset({"drug", "drug_class", "disease", "comorbidity", "score", "analyte", "organism", "action", "finding"})
# What a measurement is called; its number and unit say which it is.
_MEASURES = frozenset({"lung_volume", "mean_density", "laa950", "perc15", "mean_value", "median_value"})
_POPULATIONS = ("children", "pregnancy", "breastfeeding", "elderly", "immunocompromised")
# Share of a sentence's content that its evidence must hold; set on tests/agent/verify_cases.jsonl.
_COVERAGE = 0.4
# Weight of shared content below which a citation has nothing to do with its sentence.
_RELATED = 1.0


def wrong_side(text: str, cited: list[Evidence], pool: str) -> str | None:
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


def wrong_drug(text: str, cited: list[Evidence], pool: str) -> str | None:
    known = _known_terms(cited, pool)
    for term in sorted(ids(text, *DRUG_KINDS)):
        if not covered(term, known):
            return f"the evidence does not speak of {terms()[term].name('en')}"
    return None


def wrong_group(text: str, cited: list[Evidence]) -> str | None:
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
        stands = place(text, pieces).sentence
        if said <= read(stands) or (read is grades and all(str(g) in stands.lower() for g in said)):
            continue  # the sentence where it stands names them
        given = [p for p in sorted_out if advice and all(covered(a, ids(p)) for a in advice)]
        if given and not any(said & read(p) for p in given):
            return f"the evidence says this of {', '.join(sorted(frozenset().union(*(read(p) for p in given))))}"
    return None


def wrong_population(text: str, cited: list[Evidence], pool: str) -> str | None:
    known = ids(pool + " ".join(f"{e.population or ''} {e.source}" for e in cited))
    said = ids(text)
    for population in _POPULATIONS:
        if population in said and population not in known:
            return f"the evidence is not about {terms()[population].name('en')}"
    return None


def wrong_issuer(text: str, cited: list[Evidence]) -> str | None:
    """A guideline of another issuer than the evidence is of or speaks of."""
    if any(e.kind not in ("guideline", "document") for e in cited):
        return None
    pool = " \n ".join(f"{e.text} \n {e.text_zh or ''} \n {e.source} \n {e.locator or ''} \n {' ; '.join(e.subjects)}" for e in cited)
    said = next((m.group(0) for name, known in _issuers() if (m := name.search(text)) and not known.search(pool)), None)
    return f"the evidence is not of {said}" if said else None


@lru_cache(maxsize=1)
def _issuers() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    rows = patterns("agent.verify").table("issuers").items()
    return tuple((re.compile(rf"(?<![A-Za-z])(?:{name})(?![A-Za-z])"), re.compile(known)) for name, known in rows)


def related(text: str, item: Evidence) -> bool:
    """Whether one piece of evidence shares anything of substance with the sentence."""
    mine = content(text)
    theirs = set(content(f"{item.text} \n {item.text_zh or ''}")) | {f"@{s}" for s in _known_terms([item], "")}
    return sum(w for t, w in mine.items() if t in theirs) >= _RELATED


def irrelevant(text: str, cited: list[Evidence]) -> str | None:
    text = re.sub(r"\bprone to\b", "likely to have", text, flags=re.IGNORECASE)
    stray = [e.key for e in cited if len(cited) > 1 and not related(text, e)]
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
