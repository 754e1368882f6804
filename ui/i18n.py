"""Every string of the page in English and Chinese, out of the files in `words/`; `text(key, language)` fills in named values.

Each file has tables (`[text]`, `[script]`, ...) of `key = { en, zh }`; a key that stands in two files is refused.
The names of the tools come from their records.
"""

import tomllib
from collections.abc import Mapping
from html import escape
from pathlib import Path

from tools.evidence import Language
from tools.spec import specs

Pair = tuple[str, str]
_FOLDER = Path(__file__).parent / "words"


def _read() -> dict[str, dict[str, Pair]]:
    """All tables; the same key twice in one table is an error of whoever wrote it."""
    tables: dict[str, dict[str, Pair]] = {}
    for file in sorted(_FOLDER.glob("*.toml")):
        for table, rows in tomllib.loads(file.read_text(encoding="utf-8")).items():
            held = tables.setdefault(table, {})
            twice = held.keys() & rows.keys()
            if twice:
                raise ValueError(f"{file.name}: [{table}] repeats {', '.join(sorted(twice))}")
            held.update({key: (row["en"], row["zh"]) for key, row in rows.items()})
    tables["tool"] = {name: spec.labels for name, spec in specs().items()}
    return tables


TABLES = _read()
TEXT = TABLES["text"]
# For the scripts of the page, by language.
SCRIPT_TEXT: dict[str, dict[str, str]] = {
    "en": {key: pair[0] for key, pair in TABLES["script"].items()},
    "zh": {key: pair[1] for key, pair in TABLES["script"].items()},
}


def text(key: str, language: Language, **values: object) -> str:
    """The page's string `key` in `language`; a missing key is a bug and raises KeyError."""
    return pick(TEXT[key], language).format(**values)


def html(key: str, language: Language, **values: object) -> str:
    """`text`, escaped for a page."""
    return escape(text(key, language, **values))


def named(table: str, key: str, language: Language) -> str:
    """The name of `key` in `table`; a missing key is a bug and raises KeyError."""
    return pick(TABLES[table][key], language)


def named_or_same(table: str, key: str, language: Language) -> str:
    """The name of `key` in `table`, or `key` itself where the table does not know it."""
    return pick(TABLES[table].get(key, (key, key)), language)


def pick(pair: Pair, language: Language) -> str:
    """The member of an (English, Chinese) pair."""
    return pair[1] if language == "zh" else pair[0]


def known(table: str) -> Mapping[str, Pair]:
    """All rows of a table."""
    return TABLES[table]
