"""How severe: the words of three levels, English and Chinese (`data/concepts/severity.toml`)."""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache

from retrieval.concepts.words import DATA


@lru_cache(maxsize=1)
def _levels() -> Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    table = tomllib.loads((DATA / "concepts" / "severity.toml").read_text(encoding="utf-8"))
    return {name: (_any(level["words"]), _any(level["graded"])) for name, level in table.items()}


def _any(words: list[str]) -> re.Pattern[str]:
    english = "|".join(w for w in words if w.isascii())
    chinese = "|".join(w for w in words if not w.isascii())
    return re.compile(rf"\b(?:{english})\b|{chinese}", re.IGNORECASE)


def severities(text: str) -> list[str]:
    """Severity words of a short text, such as the band of a score: `high`, `moderate`, `low`."""
    return [name for name, (words, _) in _levels().items() if words.search(text)]


def grades(text: str) -> frozenset[str]:
    """Severities, risks and probabilities that a sentence speaks of; a mere `high` or `low` says nothing of them."""
    return frozenset(name for name, (_, graded) in _levels().items() if graded.search(text))
