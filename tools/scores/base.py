"""What a calculator is: fields it needs, items that score them or a formula, bands that name the result.

Values are numbers in the field's unit, booleans, or one of its choices; None is unknown. Comparisons are three-valued: an item
whose inputs are missing is undetermined and widens the range of the score.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = float | bool | str | None
Values = Mapping[str, Value]


@dataclass(frozen=True)
class Field:
    """One input.

    Attributes:
        key: Snake-case name, used with `--set`.
        en: English name.
        zh: Chinese name.
        unit: UCUM unit of numbers; empty for pure numbers, flags and choices.
        kind: What a value is.
        analytes: Laboratory values that answer it, first one preferred.
        vital: Field of `Vitals` that answers it.
        patient: Field of `Patient` that answers it.
        terms: Words of conditions, symptoms and findings that answer a flag; a negated mention answers no.
        drugs: Medicines of the list that answer a flag with yes.
        choices: Allowed words of a choice.
        aliases: Other keys accepted by `--set`.
        optional: The result stands without it.
        current: Only what is there now answers yes; a past mention (`history of cancer`) answers nothing.
        except_in: Longer words that hold a term without meaning it (`cancer antigen` for `cancer`).
        scale: Multiplier from the case's unit to this field's (FiO2 fraction to %).
    """

    key: str
    en: str
    zh: str
    unit: str = ""
    kind: Literal["number", "flag", "choice"] = "number"
    analytes: tuple[str, ...] = ()
    vital: str | None = None
    patient: str | None = None
    terms: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    optional: bool = False
    current: bool = False
    except_in: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """One scored criterion; `low` and `high` are the least and most points it can give."""

    id: str
    en: str
    zh: str
    needs: tuple[str, ...]
    points: Callable[[Values], float | None]
    low: float
    high: float


@dataclass(frozen=True)
class Band:
    """Results up to and including `upper` have this meaning; None for the last band."""

    upper: float | None
    en: str
    zh: str


@dataclass(frozen=True)
class Calculator:
    """A score (items) or a formula (compute).

    Attributes:
        name: Snake-case name of the contract.
        en: Name in English prose.
        zh: Name in Chinese prose.
        fields: Inputs.
        items: Criteria of a score; empty for a formula.
        compute: Formula over complete inputs; None for a score.
        unit: Unit of the result as prose writes it.
        decimals: Decimals of the result.
        bands: Meaning by result, ascending.
        band_of: Meaning that depends on the inputs too; replaces `bands`.
        limits: Least and most the score can be; clips the range.
        extra: Further results from the same inputs: name, (English, Chinese) label, unit, decimals, function.
        note: What a reader must know, always shown as a warning.
        exact: What the source reports for one result (`5 points: 30-day mortality 57%`), English and Chinese.
    """

    name: str
    en: str
    zh: str
    fields: tuple[Field, ...]
    items: tuple[Item, ...] = ()
    compute: Callable[[Values], float | None] | None = None
    unit: str = "points"
    decimals: int = 0
    bands: tuple[Band, ...] = ()
    band_of: Callable[[float, Values], tuple[str, str] | None] | None = None
    extra: tuple["Extra", ...] = ()
    note: tuple[str, str] | None = None
    aliases: tuple[str, ...] = ()
    exact: Mapping[float, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Extra:
    """A further result that the same inputs give."""

    name: str
    en: str
    zh: str
    unit: str
    decimals: int
    compute: Callable[[Values], float | None]


def number(values: Values, key: str) -> float | None:
    """The value as a number; None when unknown."""
    value = values.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def all_of(*tests: bool | None) -> bool | None:
    """Three-valued and."""
    return False if False in tests else None if None in tests else True


def any_of(*tests: bool | None) -> bool | None:
    """Three-valued or."""
    return True if True in tests else None if None in tests else False


def over(key: str, limit: float, *, equal: bool = True) -> Callable[[Values], bool | None]:
    """Test `value >= limit` (or `>`)."""

    def test(values: Values) -> bool | None:
        value = number(values, key)
        return None if value is None else value >= limit if equal else value > limit

    return test


def under(key: str, limit: float, *, equal: bool = False) -> Callable[[Values], bool | None]:
    """Test `value < limit` (or `<=`)."""

    def test(values: Values) -> bool | None:
        value = number(values, key)
        return None if value is None else value <= limit if equal else value < limit

    return test


def yes(key: str) -> Callable[[Values], bool | None]:
    """Test that a flag is set."""

    def test(values: Values) -> bool | None:
        value = values.get(key)
        return value if isinstance(value, bool) else None

    return test


def either(*tests: Callable[[Values], bool | None]) -> Callable[[Values], bool | None]:
    """Three-valued or over tests."""
    return lambda values: any_of(*(t(values) for t in tests))


def negate(test: Callable[[Values], bool | None]) -> Callable[[Values], bool | None]:
    """Three-valued not."""

    def negated(values: Values) -> bool | None:
        result = test(values)
        return None if result is None else not result

    return negated


def item(id: str, en: str, zh: str, needs: tuple[str, ...], test: Callable[[Values], bool | None], points: float = 1) -> Item:
    """A criterion that gives its points or none."""

    def score(values: Values) -> float | None:
        result = test(values)
        return None if result is None else points if result else 0.0

    return Item(id, en, zh, needs, score, min(0.0, points), max(0.0, points))


def steps(id: str, en: str, zh: str, key: str, table: tuple[tuple[float, float], ...], last: float) -> Item:
    """A criterion by steps: the first `(upper, points)` whose `upper` (exclusive) is above the value, else `last`."""

    def score(values: Values) -> float | None:
        value = number(values, key)
        return None if value is None else next((points for upper, points in table if value < upper), last)

    options = [points for _, points in table] + [last]
    return Item(id, en, zh, (key,), score, min(options), max(options))


def formula(needs: tuple[str, ...], function: Callable[..., float]) -> Callable[[Values], float | None]:
    """A formula over numbers; None while one is missing."""

    def compute(values: Values) -> float | None:
        numbers = [number(values, key) for key in needs]
        return None if any(n is None for n in numbers) else function(*numbers)

    return compute
