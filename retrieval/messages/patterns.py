"""Words that are looked for in a text, as data: `ROOM/data/patterns/PART.toml`, regular expressions and lists by name.

_WORDS = patterns("tools.labs")
_URINE = _WORDS.regex("urine")
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.resources import files


class Patterns:
    """The named patterns of one part of a room, read when the first one is asked for; a wrong name or kind raises."""

    def __init__(self, part: str) -> None:
        self._room, _, self._name = part.partition(".")

    @cached_property
    def _held(self) -> Mapping[str, object]:
        return tomllib.loads((files(self._room) / "data" / "patterns" / f"{self._name}.toml").read_text(encoding="utf-8"))

    def text(self, name: str) -> str:
        """One string, usually a regular expression to be put into a longer one."""
        return _string(self._held[name])

    def regex(self, name: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
        """One regular expression; letter case does not count unless `flags` says otherwise."""
        return re.compile(self.text(name), flags)

    def words(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        held = self._held[name]
        if not isinstance(held, list):
            raise TypeError(f"{name} is no list")
        return tuple(_string(word) for word in held)

    def table(self, name: str) -> dict[str, str]:
        """A table of strings, in the order of the file."""
        held = self._held[name]
        if not isinstance(held, dict):
            raise TypeError(f"{name} is no table")
        return {str(key): _string(word) for key, word in held.items()}


def _string(held: object) -> str:
    if not isinstance(held, str):
        raise TypeError(f"{held!r} is no string")
    return held


@cache
def patterns(part: str) -> Patterns:
    """The patterns of a part of a room (`tools.labs`)."""
    return Patterns(part)
