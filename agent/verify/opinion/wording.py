"""How a claim is worded beside its evidence: strong and weak words, contrasts, words of the contrary, denial."""

import re
from functools import lru_cache
from importlib.resources import files

from agent.verify.align import Place
from agent.verify.contrast import contrasts
from agent.verify.polarity import denial
from retrieval.messages.patterns import patterns

_WORDS = {name: re.compile(words, re.IGNORECASE) for name, words in patterns("agent.verify").table("opinion_words").items()}
_HAN = re.compile("[\u4e00-\u9fff]")


def words(claim: str, place: Place, pool: str) -> dict[str, float]:
    """Words of a kind that only the claim has, or only the place where it stands."""
    out: dict[str, float] = {}
    around = place.sentence or pool
    for name, pattern in _WORDS.items():
        mine, there = len(pattern.findall(claim)), len(pattern.findall(place.run))
        out[f"word {name}"] = float(min(mine, 3))
        out[f"word {name} new"] = float(mine > 0 and not pattern.search(pool))
        out[f"word {name} not here"] = float(mine > 0 and not pattern.search(around))
        out[f"word {name} left out"] = float(mine == 0 and there > 0)
        if name == "denial":
            out["word denial odd"] = float(mine % 2 != there % 2)
    for match in _WORDS["absolute"].finditer(claim):
        word = match.group(0).lower()
        out[f"absolute {word}"] = float(word not in pool.lower())
    return out


def values(claim: str, place: Place, pool: str) -> dict[str, float]:
    """Contrasts in which the claim agrees with the place where it stands, differs from it, or says what the evidence never says."""
    out: dict[str, float] = {}
    agree = differ = new = 0
    around = place.sentence or pool
    for contrast in contrasts():
        said = contrast.of(claim)
        if not said:
            continue
        near, sentence, everywhere = contrast.of(place.run), contrast.of(around), contrast.of(pool)
        if said <= near:
            agree += 1
        elif near - said:
            differ += 1
            out[f"differs {contrast.name}"] = 1.0
        elif sentence - said and not said <= sentence:
            out[f"differs around {contrast.name}"] = 1.0
        elif not said <= everywhere:
            new += 1
            out[f"new {contrast.name}"] = 1.0
        elif not said <= sentence:
            out[f"elsewhere {contrast.name}"] = 1.0
    return out | {"agree": min(agree, 4) / 2, "differ": min(differ, 4) / 2, "new": min(new, 4) / 2}


@lru_cache(maxsize=1)
def _contraries() -> tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...]:
    lines = files("agent").joinpath("data/antonyms.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")][1:]
    return tuple((one.partition("|")[0], _beginning(one), _beginning(other)) for one, other in rows)


@lru_cache(maxsize=32768)
def opposite_words(text: str) -> dict[str, frozenset[str]]:
    """Which of each pair of contraries a text has, by the name of the pair."""
    out: dict[str, frozenset[str]] = {}
    for name, one, other in _contraries():
        found = frozenset(side for side, pattern in (("one", one), ("other", other)) if pattern.search(text))
        if found:
            out[name] = found
    return out


def _beginning(alternatives: str) -> re.Pattern[str]:
    joined = "|".join(map(re.escape, alternatives.split("|")))
    return re.compile(joined if _HAN.search(alternatives) else rf"\b(?:{joined})", re.IGNORECASE)


def contraries(claim: str, place: Place, pool: str) -> dict[str, float]:
    """Words of the claim whose contrary, and only that, stands where the claim stands."""
    out: dict[str, float] = {}
    here = around = new = 0
    sentence = place.sentence or pool
    for name, one, other in _contraries():
        for turn, (mine, theirs) in enumerate(((one, other), (other, one))):
            if not mine.search(claim) or theirs.search(claim):
                continue
            if theirs.search(place.run) and not mine.search(place.run):
                here += 1
                out[f"contrary {name} {turn}"] = 1.0
            elif theirs.search(sentence) and not mine.search(sentence):
                around += 1
            elif not mine.search(pool):
                new += 1
    return out | {"contrary here": min(here, 4) / 2, "contrary around": min(around, 4) / 2, "contrary new": min(new, 4) / 2}


def denials(claim: str, place: Place) -> dict[str, float]:
    """Whether claim and place deny."""
    mine, theirs = denial(claim), denial(place.run)
    return {
        "denies": float(mine.statement),
        "denied there": float(theirs.statement),
        "denies otherwise": float(mine.statement != theirs.statement),
        "says absent": float(bool(mine.absent)),
        "absent there": float(bool(theirs.absent)),
    }


def contrary_pairs(claim: str, other: str) -> int:
    """How many words of the claim have their contrary, and only that, in the other text."""
    return sum(
        bool(mine.search(claim) and not theirs.search(claim) and theirs.search(other) and not mine.search(other))
        for _, one, two in _contraries()
        for mine, theirs in ((one, two), (two, one))
    )


def kinds_of_words(text: str) -> frozenset[str]:
    """Kinds of strong and weak words that a text has."""
    return frozenset(name for name, pattern in _WORDS.items() if pattern.search(text))
