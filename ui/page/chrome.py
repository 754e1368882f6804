"""The fixed pieces of the page as HTML: header, tabs, starters, footer, notices."""

from tools.evidence import Language
from ui.i18n import html, text

TALK_TABS = ("chat", "report", "summary", "teach")
WORK_TABS = ("ct", "labs", "drugs", "timeline", "evidence", "settings")
PHONE_TABS = ("patient", "chat", "ct")
_STARTERS = ("example_1", "example_6", "example_3")
_IMAGES = ("example_2", "example_5")
_WITHOUT_CASE = ("example_4", "example_7", "example_8")


def header_html(language: Language) -> str:
    """Name and one line of what this is, and the button that opens a case."""
    opens = f'<button type="button" id="open-case" aria-haspopup="dialog">{html("open_case", language)}</button>'
    shade = f'<button type="button" id="shade" aria-label="{html("shade", language)}">◐</button>'
    head = f'<div class="head"><h1>{text("title", language)}</h1><p>{text("tagline", language)}</p></div>'
    return f'{head}<div class="head-acts">{opens}{shade}</div>'


def footer_html(language: Language) -> str:
    """The plain words on what this is not."""
    return f"<p>{text('footer', language)}</p>"


def tabs_html(group: str, language: Language) -> str:
    """A row of tabs; the page's script moves between them and tells assistive technology which is open."""
    names = {"talk": TALK_TABS, "work": WORK_TABS, "phone": PHONE_TABS}[group]
    label = html(f"tabs_{group}", language)
    buttons = "".join(
        f'<button type="button" role="tab" id="tab-{group}-{name}" data-tab="{name}" tabindex="-1">{html(f"tab_{name}", language)}</button>'
        for name in names
    )
    return f'<div class="tabs" role="tablist" data-group="{group}" aria-label="{label}">{buttons}</div>'


def talk_head_html(language: Language) -> str:
    """Conversations of this case."""
    title = html("talks", language)
    return f'<details id="talks"><summary>{title}</summary><div id="talks-list"></div></details>'


def welcome_html(language: Language) -> str:
    """What an empty conversation says."""
    return f'<div class="welcome"><b>{text("welcome", language)}</b><p>{text("welcome_hint", language)}</p></div>'


def starters_html(language: Language, *, with_case: bool, with_images: bool = False) -> str:
    """First questions that the case can answer; shown while the conversation is empty."""
    chips = "".join(
        f'<button type="button" class="chip" data-ask="{html(key, language)}">{html(key, language)}</button>'
        for key in (_STARTERS + _IMAGES * with_images if with_case else _WITHOUT_CASE)
    )
    return f'<div class="starters" role="group" aria-label="{html("examples", language)}">{chips}</div>'


def notice(key: str, language: Language) -> str:
    """A short word under the question box."""
    return f'<p role="status">{text(key, language)}</p>'
