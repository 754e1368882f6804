"""The fixed words of printed pages, from `tools/data/reports/print.toml`."""

import tomllib
from functools import cache
from importlib.resources import files

from tools.evidence import Language


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("tools") / "data" / "reports" / "print.toml").read_text(encoding="utf-8"))


def say(key: str, language: Language, **values: object) -> str:
    """A word in a language, with values put in."""
    return _table()[key][language].format(**values)


def case_name(case_id: str, language: Language) -> str:
    """What a case is called: imports without a name of their own say what they are."""
    known = _table().get(f"case_{case_id}")
    return known[language] if known else case_id


def both(key: str) -> str:
    """A word in both languages, for a watermark that everybody must read."""
    return f"{_table()[key]['en']} / {_table()[key]['zh']}"
