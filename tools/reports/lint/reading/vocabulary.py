"""The words of the linter, compiled from `tools/data/reports`: findings, sides, lobes, change, and what a template leaves behind."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from medmpt_backend.findings import FINDINGS, LintWords

# Findings that readers name interchangeably: a "nodule" of the findings may be the "mass" of the impression.
FAMILIES = {"mass": "lung_nodule"}


@dataclass(frozen=True)
class FindingWords:
    """How reports name one finding.

    Attributes:
        id: Snake-case id.
        kind: `focal` (sizes and numbers), `diffuse`, or `midline` (no side).
        en: English name for remarks.
        zh: Chinese name for remarks.
        pattern: Finds a mention.
        ct_rate: Label of the CT-RATE vocabulary, None without one.
        sizes: Smallest and largest plausible diameter in mm, None where none is known.
    """

    id: str
    kind: str
    en: str
    zh: str
    pattern: re.Pattern[str]
    ct_rate: str | None
    sizes: tuple[float, float] | None

    @property
    def family(self) -> str:
        """Id under which mentions are compared."""
        return FAMILIES.get(self.id, self.id)


@cache
def table(name: str) -> dict[str, Any]:
    """One data file of the linter."""
    rows = tomllib.loads((files("tools") / "data" / "reports" / f"{name}.toml").read_text(encoding="utf-8"))
    for added in (f.lint for f in FINDINGS.values() if f.lint is not None):
        _add(name, rows, added)
    return rows


def _add(name: str, rows: dict[str, Any], words: LintWords) -> None:
    """Put the words of a finding's record where the linter looks for them."""
    if name == "findings":
        rows[words.finding]["en"] += words.en
        rows[words.finding]["zh"] += words.zh
    elif name == "topics":
        rows[words.topic]["words"] += (*words.en, *words.zh)
    elif name == "words" and words.benign:
        rows["benign"]["words"] += (*words.en, *words.zh)


def bounded(word: str) -> str:
    """An English expression ends at word boundaries; Chinese and signs have none."""
    first = re.sub(r"^(?:\(\?[:=!<]*|\()+", "", word)
    left = r"(?<![A-Za-z])" if re.match(r"[A-Za-z]", first) else ""
    right = (
        r"(?![A-Za-z])"
        if re.search(r"[A-Za-z)*+?]$", word) and re.search(r"[A-Za-z]", word) and not re.search(r"[\u4e00-\u9fff]", word)
        else ""
    )
    return f"{left}(?:{word}){right}"


def union(words: list[str]) -> re.Pattern[str]:
    """One pattern of several words."""
    return re.compile("|".join(bounded(w) for w in words), re.IGNORECASE)


@cache
def findings() -> tuple[FindingWords, ...]:
    """All findings that the linter knows."""
    return tuple(
        FindingWords(
            id=name,
            kind=row["kind"],
            en=row.get("label", [name.replace("_", " "), name])[0],
            zh=row.get("label", [name, name])[1],
            pattern=union([*row["en"], *row["zh"]]),
            ct_rate=row.get("ct_rate"),
            sizes=tuple(row["sizes"]) if "sizes" in row else None,
        )
        for name, row in table("findings").items()
    )


@cache
def finding_words(name: str) -> FindingWords:
    """Words of one finding by id."""
    return next(f for f in findings() if f.id == name)


@cache
def group(name: str) -> dict[str, re.Pattern[str]]:
    """Patterns of one table of `words.toml`."""
    return {key: union(words) for key, words in table("words")[name].items()}


@cache
def left_over() -> re.Pattern[str]:
    """What a template leaves behind; these bring their own boundaries."""
    return re.compile("|".join(f"(?:{w})" for w in table("words")["leftover"]["words"]), re.IGNORECASE)


@dataclass(frozen=True)
class Choice:
    """A family of choices that a template offers.

    Attributes:
        lists: Finds members joined by strokes.
        lines: Members that mean the same, a pattern each.
        least: From so many different lines on nobody chose.
    """

    lists: re.Pattern[str]
    lines: tuple[re.Pattern[str], ...]
    least: int

    def unmade(self, text: str) -> list[str]:
        """Lists of a text in which nobody chose."""
        return [m.group().strip() for m in self.lists.finditer(text) if self._different(m.group()) >= self.least]

    def _different(self, found: str) -> int:
        members = [part.strip() for part in re.split(r"[/／|｜]", found)]
        return len({i for i, line in enumerate(self.lines) for part in members if line.fullmatch(part)})


@cache
def choices() -> tuple[Choice, ...]:
    """Families of choices ("none / small / large")."""
    out = []
    for row in table("words")["options"].values():
        one = "(?:" + "|".join(sorted((w for line in row["words"] for w in line.split("|")), key=len, reverse=True)) + ")"
        unless = f"(?!{row['unless']})" if "unless" in row else ""
        found = re.compile(rf"(?<![A-Za-z/]){one}(?:\s*[/／|｜]\s*{one})+(?![A-Za-z/]){unless}", re.IGNORECASE)
        out.append(Choice(found, tuple(re.compile(line, re.IGNORECASE) for line in row["words"]), row["least"]))
    return tuple(out)
