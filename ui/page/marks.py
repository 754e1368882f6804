"""Escaped text, and the numbered button that opens a citation."""

from collections.abc import Sequence
from html import escape

from tools.evidence import Evidence, Language
from ui.i18n import text


def lines(value: str) -> str:
    """Escaped text on one line; line breaks become `<br>`."""
    return "<br>".join(escape(part) for part in value.strip().splitlines())


def mark(key: str, order: Sequence[str], evidence: Evidence | None, language: Language) -> str:
    """The button of one citation; its number is the place of the key in `order`."""
    number = order.index(key) + 1 if key in order else 0
    label = escape(evidence.source if evidence else key)
    flag = " old" if evidence is not None and not evidence.current else ""
    flag += " conflict" if evidence is not None and evidence.conflicts else ""
    return (
        f'<button type="button" class="cite{flag}" data-key="{escape(key)}" '
        f'aria-label="{escape(text("sources", language))} {number}: {label}" title="{label}">[{number or "·"}]</button>'
    )
