"""Effects of medicines as rows (`data/bedside/effects.toml`): what shows them, which medicines have them, what to do."""

import re
from functools import cache, cached_property

from pydantic import BaseModel, ConfigDict

from tools.bedside.asks.subject import rows
from tools.bedside.record.vocabulary import pattern_of


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Said(_Row):
    """A clause that holds under a test."""

    test: str = ""
    en: str
    zh: str


class Cause(_Row):
    """Medicines that have the effect: `drugs` of the drug graph, or `written`, a pattern of names that the graph does not know."""

    drugs: str = ""
    written: str = ""
    name: tuple[str, str] = ("", "")
    test: str = ""
    en: str
    zh: str
    source: str
    year: int | None = None


class Effect(_Row):
    """One effect.

    Attributes:
        words: Words that name it without a value; `value` and `values` are the values that mean it while `test` holds.
        graph: Effects of the drug graph whose causes count too; `least` where a label fact alone is enough for a suspicion.
        before: What the record says of the mechanism.
        do: What to do: the first that holds.
        other: Other reasons that the record holds.
        show: Values that stand in the bottom line; `times` is a multiple of the limit.
        yes: What a firm answer needs.
        only_named: Only said when a medicine is named.
    """

    id: str
    title: tuple[str, str]
    words: tuple[str, ...] = ()
    value: str = ""
    values: tuple[str, ...] = ()
    test: str
    graph: tuple[str, ...] = ()
    before: tuple[Said, ...] = ()
    do: tuple[Said, ...]
    other: tuple[Said, ...] = ()
    cause: tuple[Cause, ...] = ()
    show: tuple[str, ...] = ()
    times: str = ""
    yes: Said | None = None
    least: bool = False
    only_named: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The words as one pattern."""
        return pattern_of(self.words) if self.words else re.compile(r"(?!)")

    @property
    def known_by(self) -> tuple[str, ...]:
        """Values that mean it."""
        return tuple(v for v in dict.fromkeys((self.value, *self.values)) if v)


@cache
def effects() -> tuple[Effect, ...]:
    """All effects in the order of the file."""
    return tuple(Effect.model_validate(row) for row in rows("effects")["effect"])
