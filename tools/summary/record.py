"""A line and a page of the case summary, and the words it is made of."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tools.evidence import Evidence, Language

Level = Literal["act_now", "serious", "watch", "background"]
LEVELS: tuple[Level, ...] = ("act_now", "serious", "watch", "background")
Audience = Literal["ward", "handover", "tumour_board"]
AUDIENCES: tuple[Audience, ...] = ("ward", "handover", "tumour_board")
Pair = tuple[str, str]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class SummaryLine(_Model):
    """One statement in both languages with its danger and the evidence that opens its source."""

    text: str
    text_zh: str
    level: Level = "background"
    evidence: tuple[str, ...]

    def said(self, language: Language) -> str:
        """In a language."""
        return self.text_zh if language == "zh" else self.text


class SummarySection(_Model):
    """A section; `more` lines did not fit on the page."""

    name: str
    heading: str
    heading_zh: str
    lines: tuple[SummaryLine, ...]
    more: int = 0


class CaseSummary(_Model):
    """The page, and every piece of evidence that one of its lines names."""

    audience: Audience
    title: str
    title_zh: str
    case_id: str
    synthetic: bool
    sections: tuple[SummarySection, ...]
    evidence: tuple[Evidence, ...]


@cache
def table(name: str) -> dict[str, Any]:
    """One data file of the summary."""
    return tomllib.loads((files("tools") / "data" / "summary" / f"{name}.toml").read_text(encoding="utf-8"))


def words(key: str, **values: object) -> Pair:
    """A sentence in both languages; a value that is a pair is put in by language."""
    row: dict[str, str] = table("words")[key]
    en, zh = ({k: v[at] if isinstance(v, tuple) else v for k, v in values.items()} for at in (0, 1))
    return row["en"].format(**en), row["zh"].format(**zh)


def line(text: Pair, *evidence: str, level: Level = "background") -> SummaryLine:
    """A line of a pair."""
    return SummaryLine(text=text[0], text_zh=text[1], level=level, evidence=tuple(dict.fromkeys(evidence)))


def joined(items: list[Pair], comma: Pair = (", ", "，")) -> Pair:
    """Pairs as an enumeration in both languages."""
    return comma[0].join(i[0] for i in items), comma[1].join(i[1] for i in items)


def level_from(limits: dict[str, float], value: float) -> Level | None:
    """The highest level whose limit the value reaches; None below all."""
    return next((level for level in LEVELS if level in limits and value >= limits[level]), None)
