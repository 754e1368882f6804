#!/usr/bin/env python3
"""What `make check` asks of the messages: each has its Chinese, none is left over, and no new Chinese stands in the code.

Nothing is run: the calls are read out of the source (`pair = messages("tools.labs").pair`, then `pair("…", value=…)`). Chinese characters
in Python files are counted by folder; none is allowed but what `han_left.toml` still lists, whose figures only shrink (`--lower` writes
those of today, and takes the file away once there is nothing left).
Run from the root of a checkout.
"""

import ast
import re
import string
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.pofile import read_po

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from retrieval.messages.catalogue import read

ROOMS = ("agent", "tools", "retrieval", "medmpt_backend", "ui")
# What is no room and keeps the same rule.
BESIDE = ("benchmarks", "scripts")
LEFT = Path("scripts/han_left.toml")
HAN = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Said:
    """One message where it is said: its part, context and English, the names of its values."""

    place: str
    part: str
    context: str
    english: str
    values: frozenset[str]


def sources() -> Iterator[tuple[Path, str]]:
    """Every Python file of the product, its benchmarks and its scripts."""
    for room in (*ROOMS, *BESIDE):
        for path in sorted(Path(room).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")


def _part(node: ast.expr) -> str | None:
    """`tools.labs` of `messages("tools.labs")`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "messages" and len(node.args) == 1:
        return node.args[0].value if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str) else None
    return None


def _doors(tree: ast.Module) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Names that hold the messages of a part, and names that hold one of their methods."""
    whole: dict[str, str] = {}
    methods: dict[str, tuple[str, str]] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
            if part := _part(value):
                whole[name] = part
            elif isinstance(value, ast.Attribute) and (part := _part(value.value)):
                methods[name] = (part, value.attr)
            elif isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and value.value.id in whole:
                methods[name] = (whole[value.value.id], value.attr)
    return whole, methods


def _called(node: ast.Call, whole: dict[str, str], methods: dict[str, tuple[str, str]]) -> tuple[str, str] | None:
    """Part and method of a call that says something."""
    func = node.func
    if isinstance(func, ast.Name):
        return methods.get(func.id)
    if isinstance(func, ast.Attribute) and func.attr in ("pair", "say", "each", "table", "said"):
        part = whole.get(func.value.id) if isinstance(func.value, ast.Name) else _part(func.value)
        return (part, func.attr) if part else None
    return None


def said() -> Iterator[Said | str]:
    """Every message that the code says, and every call that cannot be read."""
    for path, text in sources():
        tree = ast.parse(text)
        whole, methods = _doors(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (found := _called(node, whole, methods)):
                yield _message(f"{path}:{node.lineno}", *found, node)


def _message(place: str, part: str, method: str, node: ast.Call) -> Said | str:
    index = 1 if method == "say" else 0
    english = node.args[index] if len(node.args) == index + 1 else None
    context = next((k.value for k in node.keywords if k.arg == "context"), ast.Constant(""))
    if not isinstance(english, ast.Constant) or not isinstance(english.value, str):
        return f"{place}: the English of a message is one literal, its values are named"
    if not isinstance(context, ast.Constant) or not isinstance(context.value, str) or any(k.arg is None for k in node.keywords):
        return f"{place}: context and names of values are written out"
    if method == "table":
        return Said(place, part, english.value, "", frozenset())
    return Said(place, part, context.value, english.value, frozenset(k.arg for k in node.keywords if k.arg and k.arg != "context"))


def catalogues() -> Iterator[tuple[str, Path]]:
    """Every catalogue with its part: gettext, and the TOML of `medmpt_backend`, which imports nothing of the house."""
    for room in ROOMS:
        for path in sorted([*Path(room).glob("data/messages/zh/*.po"), *Path(room).glob("data/messages/*.toml")]):
            yield f"{room}.{path.stem}", path


def _held(path: Path) -> dict[tuple[str, str], str]:
    """Chinese of a catalogue by context and English."""
    if path.suffix == ".toml":
        rows = tomllib.loads(path.read_text(encoding="utf-8"))
        found = {("", english): zh for english, zh in rows.items() if isinstance(zh, str)}
        return found | {(context, en): zh for context, table in rows.items() if isinstance(table, dict) for en, zh in table.items()}
    with path.open("rb") as file:
        return {(m.context or "", str(m.id)): str(m.string) for m in read_po(file, locale="zh", abort_invalid=True) if m.id and m.string}


def differing() -> Iterator[str]:
    """Catalogues that the product reads otherwise than Babel does."""
    for _, path in catalogues():
        if path.suffix == ".po" and read(path.read_text(encoding="utf-8")) != _held(path):
            yield f"{path}: not read as Babel reads it"


def _slots(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def missing(found: list[Said]) -> Iterator[str]:
    """Messages without Chinese, with a slot that no value fills, or with a value that nobody shows."""
    held = {part: _held(path) for part, path in catalogues()}
    for one in found:
        held.setdefault(one.part, {})
        if not one.english:
            if not any(context == one.context for context, _ in held[one.part]):
                yield f"{one.place}: {one.part} has no message in the context {one.context!r}"
            continue
        chinese = held[one.part].get((one.context, one.english))
        if chinese is None:
            yield f"{one.place}: {one.part} has no Chinese for {one.english!r}" + (f" ({one.context})" if one.context else "")
        elif one.values and _slots(one.english) | _slots(chinese) != one.values:
            odd = (_slots(one.english) | _slots(chinese)) ^ one.values
            yield f"{one.place}: {', '.join(sorted(odd))}: slot without a value, or value without a slot"


def unused(found: list[Said]) -> Iterator[str]:
    """Messages of a catalogue that no code says."""
    told = {(s.part, s.context, s.english) for s in found}
    for part, path in catalogues():
        for context, english in _held(path):
            if not {(part, context, english), (part, context, "")} & told:
                yield f"{path}: nobody says {english!r}" + (f" ({context})" if context else "")


def han() -> Counter[str]:
    """Lines with Chinese characters in Python files, by package."""
    lines: Counter[str] = Counter()
    for path, text in sources():
        lines["/".join(path.parent.parts[:2])] += sum(bool(HAN.search(line)) for line in text.splitlines())
    return +lines


def grown() -> Iterator[str]:
    """Packages with Chinese in the code, beyond what `han_left.toml` still allows."""
    allowed = tomllib.loads(LEFT.read_text(encoding="utf-8")) if LEFT.is_file() else {}
    for package, lines in sorted(han().items()):
        if lines > allowed.get(package, 0):
            yield f"{package}: {lines} lines with Chinese in the code, at most {allowed.get(package, 0)}: put it into a catalogue or data"


def faults() -> list[str]:
    """Everything that is wrong with the messages of this checkout."""
    read = list(said())
    found = [one for one in read if isinstance(one, Said)]
    return [*(one for one in read if isinstance(one, str)), *missing(found), *unused(found), *differing(), *grown()]


def main() -> int:
    """Print every fault, or lower the allowances."""
    if "--lower" in sys.argv:
        before = tomllib.loads(LEFT.read_text(encoding="utf-8")) if LEFT.is_file() else {}
        kept = {package: min(lines, before.get(package, 0)) for package, lines in sorted(han().items())}
        rows = "".join(f'"{package}" = {lines}\n' for package, lines in kept.items() if lines)
        if not rows:
            LEFT.unlink(missing_ok=True)
            return 0
        LEFT.write_text(
            "# Lines with Chinese characters in Python files, by package; only ever lower: scripts/check_messages.py --lower\n" + rows
        )
        return 0
    found = faults()
    sys.stdout.write("".join(f"{fault}\n" for fault in found) or "the messages are in order\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
