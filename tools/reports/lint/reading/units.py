"""Units and number words as factors, from `units.toml`."""

from tools.reports.lint.reading.vocabulary import table

_TEN = 10


def to_mm(unit: str) -> float:
    """Millimetres in a unit of length, however it is written."""
    low = unit.lower()
    return next(float(factor) for word, factor in table("units")["mm"].items() if low.startswith(word))


def to_mm3(unit: str) -> float | None:
    """Cubic millimetres in a unit of volume; None for one that no lesion is measured in."""
    factor = table("units")["mm3"].get(unit.lower())
    return None if factor is None else float(factor)


def to_litres(unit: str) -> float:
    """Litres in a unit of fluid."""
    return float(table("units")["litres"].get(unit, 1.0))


def to_months(unit: str) -> float:
    """Months in a unit of time, by its first letter."""
    return float(table("units")["months"][unit[0].lower()])


def number(text: str) -> float:
    """A number in figures, in an English word, or in Chinese up to 99."""
    if text[0].isdigit():
        return float(text)
    if text[0].isascii():
        return float(table("units")["words"][text.lower()])
    digits = table("units")["numbers"]
    ten = next(word for word, value in digits.items() if value == _TEN)
    tens, found, ones = text.rpartition(ten)
    return (float(digits.get(tens, 1)) * 10 if found else 0.0) + float(digits.get(ones, 0))
