"""From words to a command function, importing only the modules of that command's group."""

import difflib
import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from ui.cli.errors import NotInThisVersion, Usage
from ui.cli.table import DECLARED, MODULES

Function = Callable[..., BaseModel]


@dataclass(frozen=True)
class Found:
    """A command, its function and the arguments left for it."""

    name: str
    function: Function
    arguments: tuple[str, ...]


def room_commands(module: str) -> dict[str, Function]:
    """The `COMMANDS` of one module, empty when this version does not have the module."""
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name == module:
            return {}
        raise
    commands: dict[str, Function] = loaded.COMMANDS
    return commands


def group_commands(group: str) -> dict[str, Function]:
    """All commands whose first word is `group`, from every module that may hold them."""
    found: dict[str, Function] = {}
    for module in MODULES.get(group, ()):
        for name, function in room_commands(module).items():
            if name.split()[0] == group:
                found.setdefault(name, function)
    return found


def _prefixes(words: Sequence[str]) -> Iterator[str]:
    yield from (" ".join(words[:n]) for n in range(min(len(words), 3), 0, -1))


def find(arguments: Sequence[str]) -> Found:
    """Find the command that `arguments` start with; the longest name wins (`calc list` before `calc`).

    Raises:
        NotInThisVersion: A command of the contract that no module of this version serves.
        Usage: No such command; the text names the nearest.
    """
    words = list(_leading_words(arguments))
    early = _declared(words)
    if early is not None:
        return Found(early[0], early[1], tuple(arguments[len(early[0].split()) :]))
    available = group_commands(words[0]) if words else {}
    for name in _prefixes(words):
        if name in available:
            return Found(name, available[name], tuple(arguments[len(name.split()) :]))
        if name in DECLARED:
            raise NotInThisVersion(f"`medmpt {name}` is not part of this version; `medmpt doctor` says what is installed")
    if words and words[0] in MODULES and not available and len(words) > 1:
        raise NotInThisVersion(f"`medmpt {words[0]}` commands are not part of this version; `medmpt doctor` says what is installed")
    raise _unknown(words, available)


def _declared(words: Sequence[str]) -> tuple[str, Function] | None:
    """A command of several words that the table declares, from the first module that has it: no other module need be imported."""
    name = next((name for name in _prefixes(words) if name in DECLARED and " " in name), None)
    for module in MODULES.get(words[0], ()) if name is not None else ():
        function = room_commands(module).get(name or "")
        if name is not None and function is not None:
            return name, function
    return None


def _leading_words(arguments: Sequence[str]) -> Iterator[str]:
    for word in arguments:
        if word.startswith("-"):
            return
        yield word


def _unknown(words: Sequence[str], available: dict[str, Function]) -> Usage:
    names = sorted({*DECLARED, *available})
    given = " ".join(words[:2]) if words and words[0] in MODULES else (words[0] if words else "")
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.4) or [n for n in names if n.split()[0] == (words or [""])[0]][:1]
    hint = f"did you mean `medmpt {near[0]}`? " if near else ""
    return Usage(f"no such command: {given!r}; {hint}`medmpt --help` lists them all")
