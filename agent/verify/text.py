"""Words of a sentence as `verify` compares them: normalisation, content tokens, polarity, opposites."""

import re
import tomllib
import unicodedata
from functools import lru_cache
from importlib.resources import files

from agent.reading.lexicon import mentions
from retrieval.concepts.words import stem as house_stem

_WORDING = tomllib.loads(files("agent").joinpath("data/wording.toml").read_text(encoding="utf-8"))
_STOP = frozenset(_WORDING["stop"].split())
_THESAURUS = tomllib.loads(files("agent").joinpath("data/thesaurus.toml").read_text(encoding="utf-8"))
# A head of the wordings keeps what it stands for; the thesaurus adds heads of its own and never moves a word.
_HELD = {w for head, words in _WORDING["synonyms"].items() for w in (head, *words.split())}
_MORE = {head: " ".join(w for w in words.split() if w not in _HELD) for head, words in _THESAURUS["english"].items() if head not in _HELD}
_SYNONYMS: dict[str, str] = _WORDING["synonyms"] | _MORE
_PHRASES = tuple((re.compile(pattern), f" {word} ") for pattern, word in _THESAURUS["phrases"].items())
_CANON = {word: head for head, words in _SYNONYMS.items() for word in words.split()}
_ZH_SYNONYMS: list[list[str]] = sorted((*_WORDING["chinese"]["synonyms"], *_THESAURUS["chinese"]["same"]), key=lambda pair: -len(pair[0]))
_ZH_STOP = re.compile(_WORDING["chinese"]["stop"])
_PAIRS = tuple((re.compile(p["one"], re.I), re.compile(p["other"], re.I)) for p in _WORDING["opposites"])
_NEGATION = re.compile(
    rf"\b(?:{'|'.join(_WORDING['negation']['english'])})\b|{'|'.join(_WORDING['negation']['chinese'])}",
    re.IGNORECASE,
)
_DOUBLE = re.compile("|".join(_WORDING["negation"]["double"]), re.IGNORECASE)
_PASSIVE = re.compile(r"\b(?:is|are|was|were|been)\s*$", re.IGNORECASE)
_WHOLE = re.compile("|".join(_WORDING["scope"]["whole_clause"]), re.IGNORECASE)
_SCOPE_END = re.compile("|".join(_WORDING["scope"]["ends"]), re.IGNORECASE)
_CLAUSES = re.compile("|".join(_WORDING["negation"]["clause_breaks"]))


def normalise(text: str) -> str:
    """NFKC, lower case, dashes and spaces made equal, closing punctuation dropped."""
    plain = unicodedata.normalize("NFKC", text).lower()
    plain = re.sub(r"[‐‑–—−]", "-", plain)
    plain = re.sub(r"\s+", " ", plain).strip()
    plain = re.sub(r"(?<=[\u4e00-\u9fff]) | (?=[\u4e00-\u9fff])", "", plain)
    return plain.strip(" .。;；,，!！?？\"'“”")


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """The stem of an English word by the house's one stemmer, then its synonym class."""
    if word in _CANON:
        return _CANON[word]
    base = house_stem(word)
    return _canon_stems().get(base, base)


@lru_cache(maxsize=1)
def _canon_stems() -> dict[str, str]:
    return {house_stem(word): head for head, words in _SYNONYMS.items() for word in (head, *words.split())}


def tokens(text: str) -> frozenset[str]:
    """Content of a text: `@id` for each term, stemmed English words, Chinese character pairs between terms."""
    out: set[str] = set()
    rest = (
        list(unicodedata.normalize("NFKC", text).lower()) if len(unicodedata.normalize("NFKC", text)) == len(text) else list(text.lower())
    )
    for mention in mentions(text):
        out.add(f"@{mention.term.id}")
        rest[mention.start : mention.end] = "\n" * (mention.end - mention.start)
    remainder = "".join(rest)
    for pattern, word in _PHRASES:
        remainder = pattern.sub(word, remainder)
    for word in re.findall(r"[a-z][a-z]+(?:-[a-z]+)*", remainder):
        out |= {stem(part) for part in word.split("-") if part not in _STOP and len(part) > 2}
    for a, b in _ZH_SYNONYMS:
        remainder = remainder.replace(a, b)
    for run in re.findall(r"[\u4e00-\u9fff]+", _ZH_STOP.sub("\n", remainder)):
        out |= {run[i : i + 2] for i in range(len(run) - 1)}
    return frozenset(out)


def clauses(text: str) -> list[str]:
    """Clauses of a text; polarity is compared clause by clause."""
    return [c.strip() for c in _CLAUSES.split(text) if c and re.search(r"\w", c)]


def sentences(text: str) -> list[str]:
    """Sentences of a text; opposites are compared sentence by sentence."""
    return [s.strip() for s in re.split(r"[;；。！？!?]|\.\s", text) if re.search(r"\w", s)]


def negated(clause: str) -> bool:
    """Whether the clause denies or forbids (an odd number of negations)."""
    return len(_NEGATION.findall(_DOUBLE.sub(" ", clause))) % 2 == 1


def contradicts(claim: str, evidence: str) -> str | None:
    """The word of `claim` whose opposite, and only that, stands in `evidence`."""
    for first, second in _PAIRS:
        for mine, other in ((first, second), (second, first)):
            said = mine.search(claim)
            if said and not other.search(claim) and other.search(evidence) and not mine.search(evidence):
                return said.group(0)
    return None


def denied(clause: str) -> frozenset[str]:
    """Content that the clause denies: what follows its negation, or all of it for cues such as `contraindicated`; empty when it asserts."""
    plain = _DOUBLE.sub(" ", clause)
    cues = list(_NEGATION.finditer(plain))
    if len(cues) % 2 == 0:
        return frozenset()
    end = _SCOPE_END.search(plain, cues[-1].end())
    # "X is not used" denies X too.
    passive = _PASSIVE.search(plain[: cues[0].start()]) and not re.search(r"recommend|suggest|advis", plain[cues[0].end() :])
    whole = any(_WHOLE.fullmatch(c.group(0)) for c in cues)
    start = 0 if whole or passive else cues[0].end()
    return tokens(_NEGATION.sub(" ", plain[start : end.start() if end else len(plain)]))
