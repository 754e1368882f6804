"""The fixed pieces of the page as HTML: headings, header, footer, welcome, hints."""

from tools.evidence import Language
from ui.i18n import text


def heading(key: str, language: Language) -> str:
    """A section heading."""
    return f"<h2>{text(key, language)}</h2>"


def header_html(language: Language) -> str:
    """Name and one line of what this is."""
    return f"<h1>{text('title', language)}</h1><p>{text('tagline', language)}</p>"


def footer_html(language: Language) -> str:
    """The plain words on what this is not."""
    return f"<p>{text('footer', language)}</p>"


def welcome_html(language: Language) -> str:
    """What an empty conversation says."""
    return f'<div class="welcome"><b>{text("welcome", language)}</b><p>{text("welcome_hint", language)}</p></div>'


def hint_html(language: Language) -> str:
    """What may be uploaded, and where it goes."""
    return f'<p class="note">{text("upload_hint", language)}</p>'


def notice(key: str, language: Language) -> str:
    """A short word under the question box."""
    return f'<p role="status">{text(key, language)}</p>'
