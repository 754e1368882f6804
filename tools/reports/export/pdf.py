"""A page as PDF through weasyprint (extra `export`); fetches nothing: no picture, no style, no font from anywhere but this machine."""

import shutil
import subprocess
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from tools.errors import ToolUnavailable
from tools.reports.export.sheet import Block, Heading, Line, Rows, Sheet

_INSTALL = "PDF files need weasyprint: pip install 'medmpt-assistant[export]'"
_SYSTEM = "weasyprint does not find its system libraries: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_FONTS = "no font with Chinese characters is installed: apt-get install fonts-noto-cjk"


def pdf(sheet: Sheet) -> bytes:
    """The page as a tagged PDF.

    Raises:
        ToolUnavailable: weasyprint, its system libraries or a Chinese font are not installed; names the command.
    """
    weasyprint = _weasyprint()
    text = html(sheet)
    if any("\u3400" <= c <= "\u9fff" for c in text) and not _chinese_font():
        raise ToolUnavailable(_FONTS)
    body: bytes = weasyprint.HTML(string=text, url_fetcher=_nothing).write_pdf(pdf_tags=True)
    return body


def html(sheet: Sheet) -> str:
    """The page as HTML with its style, as weasyprint draws it."""
    css = (files("tools") / "data" / "reports" / "print.css").read_text(encoding="utf-8")
    foot, banner = _css_string(sheet.foot), _css_string(sheet.banner or "")
    css += "@page { margin: 12mm 13mm 13mm }" if sheet.dense else ""
    css += f'@page {{ @bottom-left {{ content: "{foot}" }} @top-center {{ content: "{banner}" }} }}'
    head = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in sheet.head)
    mark = f'<div class="watermark" aria-hidden="true">{escape(sheet.banner)}</div>' if sheet.banner else ""
    body = "".join(_block(b) for b in sheet.blocks)
    language = "zh-CN" if sheet.language == "zh" else "en"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(sheet.title)}</title>'
        f"<style>{css}</style></head>"
        f'<body class="{"dense" if sheet.dense else ""}">{mark}<h1>{escape(sheet.title)}</h1><dl>{head}</dl>{body}</body></html>'
    )


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level + 1}>{escape(block.text)}</h{block.level + 1}>"
        case Rows():
            head = "".join(f"<th>{escape(c)}</th>" for c in block.head)
            rows = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in block.rows)
            return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        case Line():
            tag = f"<span class=tag>{escape(block.tag)}</span> " if block.tag else ""
            note = f" <span class=note>{escape(block.note)}</span>" if block.note else ""
            return f'<p class="{block.look}">{tag}{escape(block.text)}{note}</p>'


def _css_string(text: str) -> str:
    """Text inside a CSS string: nothing in it ends the string or the style element."""
    return "".join(c if c.isalnum() or c in " .,;:·()/—，。；：（）" else f"\\{ord(c):x} " for c in text)


def _weasyprint() -> Any:
    try:
        import weasyprint
    except ModuleNotFoundError as missing:
        raise ToolUnavailable(_INSTALL) from missing
    except OSError as broken:
        raise ToolUnavailable(_SYSTEM) from broken
    return weasyprint


def _nothing(url: str, *_: object, **__: object) -> dict[str, Any]:
    """No address is ever opened for a page."""
    raise ValueError(f"a printed page fetches nothing: {url[:80]!r}")


@cache
def _chinese_font() -> bool:
    listed = shutil.which("fc-list")
    if listed is None:
        return True
    found = subprocess.run([listed, ":lang=zh", "family"], capture_output=True, text=True, timeout=20, check=False)
    return found.returncode != 0 or bool(found.stdout.strip())
