"""A page to print, without a format: what stands on it, in order. Reports, conversations and summaries become one of these."""

from dataclasses import dataclass, field
from typing import Literal

from tools.evidence import Language


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the highest below the title."""

    text: str
    level: Literal[1, 2] = 1


@dataclass(frozen=True)
class Line:
    """One paragraph or bullet.

    Attributes:
        text: What it says.
        tag: A small word before it: where it comes from.
        note: A small remark behind it: the numbers of its sources.
        look: `plain`, `bullet`, `strong`, `danger` (red), or `small`.
    """

    text: str
    tag: str | None = None
    note: str | None = None
    look: Literal["plain", "bullet", "strong", "danger", "small"] = "plain"


@dataclass(frozen=True)
class Rows:
    """A table."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Line | Rows


@dataclass(frozen=True)
class Sheet:
    """One document to print.

    Attributes:
        title: At the top.
        language: Of the words, for fonts and hyphenation.
        banner: Watermark on every page; None for none.
        head: Labelled values below the title.
        blocks: The body.
        foot: Small print at the bottom of every page.
        dense: Set small, so that it stays on one page.
    """

    title: str
    language: Language
    banner: str | None = None
    head: tuple[tuple[str, str], ...] = ()
    blocks: tuple[Block, ...] = field(default=())
    foot: str = ""
    dense: bool = False
