"""Escaped text, and the numbered button that opens a citation."""

import re
from collections.abc import Sequence
from html import escape

from tools.evidence import Evidence, Language
from tools.reports.export.cited import source_name
from tools.wording import typeset
from ui.i18n import html, named_or_same

_QUOTED = 320  # characters of a statement that its mark shows

# Where a first sentence ends: not within a number, not after a single letter ("E. coli").
_STOP = re.compile(r"(?<![\s.][A-Za-z])[.!?](?=\s+[A-Z])|[。；！？]")


def led(words: str) -> tuple[str, str]:
    """What is to be read first, and the rest with the blank before it; a beginning of a few letters is no sentence."""
    stop = _STOP.search(words, 20)
    at = stop.end() if stop else len(words)
    return words[:at], words[at:]


def lines(value: str) -> str:
    """Escaped text on one line; line breaks become `<br>`."""
    return "<br>".join(escape(part) for part in typeset(value).strip().splitlines())


def mark(key: str, order: Sequence[str], evidence: Evidence | None, language: Language) -> str:
    """The button of one citation; its number is the place of the key in `order`."""
    number = order.index(key) + 1 if key in order else 0
    label = escape(source_name(evidence.source, language) if evidence else key)
    flag = " old" if evidence is not None and not evidence.current else ""
    flag += " conflict" if evidence is not None and evidence.conflicts else ""
    quote = ""
    if evidence is not None:
        words = (evidence.text_zh or evidence.text) if language == "zh" else evidence.text
        quote = f' data-quote="{escape(words if len(words) <= _QUOTED else words[:_QUOTED].rstrip() + "…")}" data-source="{label}"'
    return (
        f'<button type="button" class="cite{flag}" data-key="{escape(key)}"{quote} '
        f'aria-label="{html("sources", language)} {number}: {label}">{number or "·"}</button>'
    )


def remark(severity: str, words: str, language: Language) -> str:
    """One fact against a drug as a list entry, its severity in front."""
    name = escape(named_or_same("severity", severity, language))
    return f'<li class="{escape(severity)}"><b class="severity">{name}</b> {lines(words)}</li>'


def fold(kind: str, title: str, body: str, *, opened: bool = False) -> str:
    """A part that opens; empty without a body. `title` and `body` are HTML."""
    if not body:
        return ""
    return f'<details class="fold {kind}"{" open" if opened else ""}><summary>{title}</summary>{body}</details>'


def table(kind: str, label: str, heads: Sequence[str], rows: str) -> str:
    """A table that scrolls inside its place and can be scrolled by keyboard. All arguments are HTML."""
    cells = "".join(f'<th scope="col">{head}</th>' for head in heads)
    body = f'<table class="{kind}"><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{body}</div>'
