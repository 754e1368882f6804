"""The settings as HTML."""

from collections.abc import Sequence
from html import escape

from agent.keeping.library import DocumentView, PartView
from tools.evidence import Language
from ui.i18n import html, named


def settings_html(
    documents: Sequence[DocumentView], parts: Sequence[PartView], language: Language, *, local: bool, user: str | None = None
) -> str:
    """Who is here, documents, installation and limits.

    Args:
        documents: Those of the hospital.
        parts: What is installed, what is not.
        language: Of the page.
        local: Whether the page is this computer's own: only there documents are changed.
        user: Who is logged in; None where the page has no login.
    """
    return _access(user, language, local) + _documents(documents, language, local) + _installation(parts, language) + _limits(language)


def _access(user: str | None, language: Language, local: bool) -> str:
    """Who may reach this page, and the way out of it."""
    if user is None:
        said = f'<p class="note">{html("access_local" if local else "access_open", language)}</p>'
    else:
        button = f'<button type="submit" class="quiet" id="log-out">{html("log_out", language)}</button>'
        out = f'<form method="post" action="/logout">{button}</form>'
        said = f'<div class="settings-row"><span>{html("access_user", language)} <b>{escape(user)}</b></span>{out}</div>'
    return f"<section><h3>{html('access', language)}</h3>{said}</section>"


def _documents(documents: Sequence[DocumentView], language: Language, local: bool) -> str:
    rows = "".join(_document(d, language, local) for d in documents) or f'<p class="note">{html("docs_none", language)}</p>'
    add = (
        f'<p><button type="button" class="quiet" id="docs-add">{html("docs_add", language)}</button>'
        f'<input type="file" id="docs-input" accept=".pdf,.html,.htm,.md,.docx,.txt" multiple hidden></p>'
        if local
        else f'<p class="note">{html("docs_elsewhere", language)}</p>'
    )
    hint = f'<p class="note">{html("docs_hint", language)}</p><p id="docs-state" class="note" role="status"></p>'
    return f"<section><h3>{html('docs', language)}</h3>{rows}{add}{hint}</section>"


def _document(d: DocumentView, language: Language, local: bool) -> str:
    label = f"{html('docs_remove', language)}: {escape(d.title)}"
    gone = f'<button type="button" class="quiet" data-doc="{escape(d.id)}" aria-label="{label}">✕</button>' if local else ""
    pieces = html("docs_pieces", language, n=d.pieces)
    return f'<div class="settings-row"><span>{escape(d.title)} <span class="note">{d.year} · {pieces}</span></span>{gone}</div>'


def _installation(parts: Sequence[PartView], language: Language) -> str:
    rows = ""
    for part in parts:
        state = html("part_there" if part.there else "part_missing", language)
        detail = escape(part.detail) if part.there else f"<code>{escape(part.command)}</code>"
        rows += f'<div class="settings-row"><span>{escape(named("part", part.name, language))}</span><span>{state} {detail}</span></div>'
    return f"<section><h3>{html('installed', language)}</h3>{rows}</section>"


def _limits(language: Language) -> str:
    rows = "".join(f"<li>{html(f'limit_{n}', language)}</li>" for n in range(1, 5))
    return f'<section><h3>{html("limits_of_use", language)}</h3><ul class="limits-list">{rows}</ul></section>'
