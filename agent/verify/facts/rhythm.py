"""How often: rhythms as they are written, and to which drug or state a text gives each."""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

from agent.verify.facts.segments import Values
from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")
# "for a year", "half a year": how long, not how often.
_LASTING = re.compile(r"(?<!times )(?<!once )(?<!twice )(?<!thrice )(?<!g )(?<!doses )\ba (?:day|week|month|year)\b", re.IGNORECASE)
# "30 or more days a year": how much of it, not how often.
_DAYS_OF = re.compile(r"\b(?:days?|hours?|weeks?) (?:a|per) (?:week|month|year)\b", re.IGNORECASE)
# A total of a day, or a rate: no rhythm of its own.
_TOTAL = _TEXT.regex("rhythm_total")

_WORDS = {"once": 1, "twice": 2, "thrice": 3, "one": 1, "two": 2, "three": 3, "four": 4, "six": 6, "eight": 8, "twelve": 12}
_ZH = {word: int(digit) for word, digit in _TEXT.table("digits").items()}


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    data = tomllib.loads(files("agent").joinpath("data/wording.toml").read_text(encoding="utf-8"))["rhythm"]
    return tuple((re.compile(row["words"], re.IGNORECASE), row["is"]) for row in data)


@lru_cache(maxsize=1)
def written() -> re.Pattern[str]:
    """Any rhythm as it is written."""
    plain = (re.sub(r"\?P<\w+>", "?:", p.pattern) for p, _ in _patterns())
    return re.compile("|".join(f"(?:{p})" for p in plain), re.IGNORECASE)


def _number(text: str) -> int:
    plain = text.lower()
    return int(plain) if plain.isdigit() else _WORDS.get(plain, _ZH.get(text, 1))


@lru_cache(maxsize=4096)
def rhythms(text: str) -> Values:
    """Rhythms of a text in canonical form, `2/day`, `1/2 week`."""
    found: set[str] = set()
    taken: list[tuple[int, int]] = []
    for pattern, shape in _patterns():
        for match in pattern.finditer(text):
            if any(s < match.end() and match.start() < e for s, e in taken):
                continue
            taken.append(match.span())
            count = match.groupdict().get("n") or match.groupdict().get("m")
            number = _number(count) if count else 1
            if shape == "every hours" and 24 % number == 0:
                found.add(f"{24 // number}/day")
            elif shape == "every hours" and number % 24 == 0:
                found.add(f"1/{number // 24} day")
            else:
                found.add(shape.replace("N", str(number)))
    return frozenset(found)


def unheard(claim: str, pool: str) -> bool:
    """Whether a claim has something happen in a rhythm that its evidence has nowhere."""
    mine = rhythms(_TOTAL.sub(" ", _LASTING.sub(" ", claim)))
    return bool(mine - rhythms(_DAYS_OF.sub(" ", pool)))
