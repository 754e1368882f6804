"""What a citation opens: the statement in both languages, everything known of where it comes from, and the words of the sentence marked."""

import re
from html import escape

from agent.sessions.views import PassageView
from tools.evidence import Evidence, Language
from tools.reports.export.cited import place_words, source_name
from ui.i18n import html, text
from ui.page.exhibits import card_rows
from ui.page.marks import lines

_SENTENCE = re.compile(r"[^.!?。！？；;\n]+[.!?。！？；;]*\s*")
_WORD = re.compile(r"[a-z0-9]+(?:\.\d+)?|[\u4e00-\u9fff]", re.IGNORECASE)
_LEAST = 0.5


def passage_panel(key: str, cited: Evidence | None, passage: PassageView | None, language: Language, said: str = "") -> str:
    """The panel.

    Args:
        key: Citation key.
        cited: The statement as an answer cites it.
        passage: The passage in full, of a guideline.
        language: Of the page.
        said: The sentence that was clicked; what of the passage says it is marked.
    """
    source = passage.source if passage is not None else cited.source if cited is not None else key
    texts = [("en", passage.text_en), ("zh", passage.text_zh)] if passage is not None else _both(cited)
    if language == "zh":
        texts.reverse()
    body = "".join(f'<blockquote lang="{code}">{marked(words, said)}</blockquote>' for code, words in texts if words)
    year, where = (passage or cited).year, (passage or cited).locator  # type: ignore[union-attr]
    rows = [(text("year", language), str(year or "")), (text("locator", language), place_words(where or ""))]
    rows += card_rows(cited.card, language) if cited is not None and cited.card is not None else []
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows if value)
    head = f"<h2>{escape(source_name(source, language))}</h2>{_standing(cited, passage, language)}"
    return f'{head}{body}<dl>{facts}</dl>{_link(passage, language)}<p class="key">{escape(key)}</p>'


def marked(words: str, said: str) -> str:
    """The passage with the sentences marked that share at least half of the words of `said` or of themselves."""
    wanted = set(_WORD.findall(said.casefold()))
    if not wanted:
        return lines(words)
    out = []
    for piece in _SENTENCE.findall(words):
        own = set(_WORD.findall(piece.casefold()))
        shared = len(own & wanted) / min(len(own), len(wanted)) if own else 0.0
        body = lines(piece) if piece.strip() else ""
        out.append(f"<mark>{body}</mark>" if shared >= _LEAST and len(own) > 2 else body)
    return " ".join(out)


def _both(cited: Evidence | None) -> list[tuple[str, str]]:
    return [("en", cited.text), ("zh", cited.text_zh or "")] if cited is not None else []


def _standing(cited: Evidence | None, passage: PassageView | None, language: Language) -> str:
    tags: list[tuple[str, str]] = []
    standing = passage or cited
    guideline = passage is not None or (cited is not None and cited.kind == "guideline")
    if standing is not None and guideline:
        if standing.current and standing.superseded_by is None:
            tags.append(("good", text("current", language)))
        else:
            by = standing.superseded_by
            tags.append(("old", text("superseded", language, by=by) if by else text("superseded_plain", language)))
    if cited is not None and cited.validity in ("out", "unknown"):
        tags.append(("old", text(f"validity_{cited.validity}", language)))
    return "".join(f'<span class="badge {kind}">{escape(words)}</span>' for kind, words in tags) + _conflicts(cited, passage, language)


def _conflicts(cited: Evidence | None, passage: PassageView | None, language: Language) -> str:
    """Keys of statements that disagree, each a citation that opens it."""
    keys = dict.fromkeys((*(cited.conflicts if cited else ()), *(passage.conflicts if passage else ())))
    links = " ".join(f'<button type="button" class="cite conflict" data-key="{escape(key)}">{escape(key)}</button>' for key in keys)
    return f'<p class="badge conflict">{html("conflict", language)} {links}</p>' if links else ""


def _link(passage: PassageView | None, language: Language) -> str:
    if passage is None or not passage.doi_link or not passage.doi_link.startswith("https://"):
        return ""
    href = escape(passage.doi_link, quote=True)
    return f'<p><a href="{href}" target="_blank" rel="noopener noreferrer">{html("open_source", language)}</a></p>'
