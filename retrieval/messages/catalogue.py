"""Messages as data: English stands in the code as the key of a gettext catalogue, Chinese in the catalogue.

`ROOM/data/messages/zh/PART.po` holds the Chinese of one part of a room:

    pair = messages("tools.labs").pair
    pair("D-dimer is below {limit:.2f} mg/L FEU.", limit=limit)      # (English, Chinese)
    pair("high", context="flag")                                     # where one English word has two Chinese ones

A value may be a pair itself; each language then takes its own half. No value may be None, so no sentence says "None". A message without
its Chinese is a bug and raises; `scripts/check_messages.py` (with Babel) finds it, and what nobody says any more, without running anything.
"""

import json
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Literal

Language = Literal["en", "zh"]
Pair = tuple[str, str]
Value = str | int | float | Pair


class Messages:
    """The messages of one part of a room; its catalogue is read when the first one is asked for."""

    def __init__(self, part: str) -> None:
        self._room, _, self._name = part.partition(".")

    @cached_property
    def _chinese(self) -> Mapping[tuple[str, str], str]:
        """Chinese by context and English."""
        path = files(self._room) / "data" / "messages" / "zh" / f"{self._name}.po"
        return read(path.read_text(encoding="utf-8"))

    def pair(self, english: str, /, *, context: str = "", **values: Value) -> Pair:
        """The message in English and Chinese.

        Args:
            english: Its English, with a slot in braces for each value.
            context: Tells apart messages whose English is the same.
            values: What stands in the slots; a pair gives each language its own.

        Returns:
            Both texts, filled.

        Raises:
            KeyError: The catalogue lacks it, or a slot has no value.
            ValueError: A value is None.
        """
        return _filled(english, values, 0), _filled(self._chinese[context, english], values, 1)

    def say(self, language: Language, english: str, /, *, context: str = "", **values: Value) -> str:
        """`pair`, in one language."""
        return self.pair(english, context=context, **values)[1 if language == "zh" else 0]

    def each(self, english: str, /, *, context: str = "") -> dict[Language, str]:
        """The message by language, its slots still open."""
        return {"en": english, "zh": self._chinese[context, english]}

    def table(self, context: str) -> Mapping[str, str]:
        """All messages of one context, English to Chinese: for words that come as data (units, severities)."""
        return {english: chinese for (where, english), chinese in self._chinese.items() if where == context}


def read(text: str) -> dict[tuple[str, str], str]:
    """Translations of a `.po` file by context and English.

    Only `msgctxt`, `msgid` and `msgstr`, since nothing else stands in ours: Babel's reader and its import would
    cost every start seven times as long. `scripts/check_messages.py` holds both against each other.

    Raises:
        ValueError: A line is none of these.
    """
    held: dict[tuple[str, str], str] = {}
    entry: dict[str, str] = {}
    field = ""
    for line in [*text.splitlines(), "msgid"]:
        word, _, quoted = line.partition(" ") if line[:3] == "msg" else (field, "", line)
        if not line or line.startswith("#"):
            continue
        if word not in ("msgctxt", "msgid", "msgstr"):
            raise ValueError(f"no line of a catalogue: {line}")
        if word != field:
            if field == "msgstr":
                if entry["msgid"] and entry["msgstr"]:
                    held[entry.get("msgctxt", ""), entry["msgid"]] = entry["msgstr"]
                entry = {}
            entry[word], field = "", word
        entry[word] += json.loads(quoted) if quoted else ""
    return held


def _filled(text: str, values: Mapping[str, Value], half: int) -> str:
    if not values:
        return text
    absent = [name for name, value in values.items() if value is None or (isinstance(value, tuple) and None in value)]
    if absent:
        raise ValueError(f"no value for {', '.join(absent)} in: {text}")
    return text.format(**{name: value[half] if isinstance(value, tuple) else value for name, value in values.items()})


@cache
def messages(part: str) -> Messages:
    """The messages of a part of a room (`tools.labs`)."""
    return Messages(part)
