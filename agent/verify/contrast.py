"""Contrasts: what can be said in one way or the other (may or must, oral or intravenous, before or after), compared where it stands."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from agent.verify.align import Place, pieces
from agent.verify.polarity import denial
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence

_TEXT = patterns("agent.verify")

# How strongly something is advised is not said where it is told when ("after oxygen is started").
_SUBORDINATE = _TEXT.regex("contrast_subordinate")


@dataclass(frozen=True)
class Contrast:
    """One contrast with the wording of its values, weak to strong where it is ranked."""

    name: str
    values: tuple[tuple[str, re.Pattern[str]], ...]
    strict: bool
    ranked: bool
    whole: bool
    loose: bool

    def of(self, text: str) -> frozenset[str]:
        """Values that a text has."""
        return frozenset(name for name, pattern in self.values if pattern.search(text))

    def written(self) -> re.Pattern[str]:
        """Any value as it is written."""
        return re.compile("|".join(f"(?:{pattern.pattern})" for _, pattern in self.values), re.IGNORECASE)


@lru_cache(maxsize=1)
def contrasts() -> tuple[Contrast, ...]:
    """All contrasts of the data file."""
    data = tomllib.loads(files("agent").joinpath("data/contrasts.toml").read_text(encoding="utf-8"))
    return tuple(
        Contrast(
            row["name"],
            tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in row["values"].items()),
            row.get("strict", False),
            row.get("ranked", False),
            row.get("whole", False),
            row.get("loose", False),
        )
        for row in data["contrast"]
    )


def differs(claim: str, place: Place, pool: str) -> tuple[str, str] | None:
    """The first contrast in which the claim says otherwise than its evidence: its name and the claim's value.

    Args:
        claim: The sentence.
        place: Where it stands in the evidence.
        pool: All of the evidence, both languages.
    """
    return next(otherwise_with_value(claim, place, pool), None)


def otherwise(claim: str, place: Place, pool: str) -> list[str]:
    """Names of all contrasts in which the claim says otherwise than its evidence; see `differs`."""
    return [f"{name}" for name, _ in otherwise_with_value(claim, place, pool)]


def otherwise_with_value(claim: str, place: Place, pool: str) -> Iterator[tuple[str, str]]:
    """Each contrast in which the claim says otherwise than its evidence, with the claim's value; see `differs`."""
    both_deny = denial(claim).statement and denial(place.run).statement
    for contrast in contrasts():
        said = contrast.of(_SUBORDINATE.sub(" ", claim) if contrast.ranked else claim)
        if contrast.ranked:
            # "must not" and "contraindicated": how strongly a denial is worded is not compared
            stronger = None if both_deny else _stronger(contrast, said, place)
            if stronger:
                yield contrast.name, stronger
            continue
        wrong = next((v for v in sorted(said) if _otherwise(contrast, v, said, place, pool)), None)
        if wrong is not None:
            yield contrast.name, wrong


def _otherwise(contrast: Contrast, value: str, said: frozenset[str], place: Place, pool: str) -> bool:
    near = contrast.of(place.run)
    core = contrast.of(place.core)
    if value in near:
        return bool(core) and not core & said and place.alone
    if near - said:
        return not (contrast.loose and value in contrast.of(place.sentence))
    around = contrast.of(place.sentence)
    if value in around:
        return False
    if around - said and len(contrast.values) > 1:
        return True
    everywhere = contrast.of(pool)
    return value not in everywhere and (contrast.strict or (contrast.whole and bool(everywhere)))


def _stronger(contrast: Contrast, said: frozenset[str], place: Place) -> str | None:
    """A strength that the claim has and its evidence does not reach; a plain statement of the evidence is as strong as an advice."""
    order = [name for name, _ in contrast.values]
    near = contrast.of(place.core) or contrast.of(place.run)
    if said and said & contrast.of(place.run):
        return None
    mine = max((order.index(v) for v in said - near), default=order.index("permitted"))
    theirs = max((order.index(v) for v in near - said), default=order.index("advised"))
    return (order[mine] if said else "plain") if mine > theirs and not (said and said <= near) else None


def as_strong_across(value: str, place: Place, cited: Iterable[Evidence]) -> bool:
    """Whether the same sentence in the other language of the evidence is as strong: one word of Chinese stands for two of English."""
    modality = next(c for c in contrasts() if c.ranked)
    order = [name for name, _ in modality.values]
    least = order.index("permitted" if value == "plain" else value)
    for item in cited:
        one, two = pieces(item.text), pieces(item.text_zh or "")
        for mine, other in (*zip(one, two, strict=False), *zip(two, one, strict=False)):
            if len(one) == len(two) and mine.text == place.sentence:
                held = modality.of(other.text)
                return max((order.index(v) for v in held), default=order.index("advised")) >= least
    return False
