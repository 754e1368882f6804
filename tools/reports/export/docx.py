"""A page as a Word file through python-docx: headings a reader can fold, Chinese in a Chinese font, the banner on every page."""

import io
from datetime import UTC, datetime
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from tools.reports.export.sheet import Block, Heading, Line, Rows, Sheet

_RED, _GREY, _TEAL = RGBColor(0xB0, 0x00, 0x20), RGBColor(0x55, 0x55, 0x55), RGBColor(0x0B, 0x5D, 0x5D)


def docx(sheet: Sheet) -> bytes:
    """The page as .docx."""
    file = Document()
    _style(file, sheet)
    section = file.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(1.4 if sheet.dense else 1.7)
    section.top_margin = section.bottom_margin = Cm(1.0 if sheet.dense else 1.3)
    if sheet.banner:
        _banner(section.header.paragraphs[0], sheet.banner)
        _banner(file.add_paragraph(), sheet.banner)
    foot = section.footer.paragraphs[0].add_run(sheet.foot)
    foot.font.size, foot.font.color.rgb = Pt(7), _GREY
    file.add_heading(sheet.title, level=0)
    _head(file, sheet)
    for block in sheet.blocks:
        _block(file, block)
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def _style(file: Any, sheet: Sheet) -> None:
    """Fonts for both scripts, and what the file says of itself."""
    for name in ("Normal", "Title", "Heading 1", "Heading 2", "List Bullet"):
        style = file.styles[name]
        style.font.name = "Arial"
        properties = style.element.get_or_add_rPr()
        properties.get_or_add_rFonts().set(qn("w:eastAsia"), "Microsoft YaHei")
        _language(properties)
    file.styles["Normal"].font.size = Pt(8 if sheet.dense else 9.5)
    file.styles["Normal"].paragraph_format.space_after = Pt(0 if sheet.dense else 1)
    file.styles["Title"].font.size = Pt(17)
    for name, size in (("Heading 1", 12), ("Heading 2", 10.5)):
        file.styles[name].font.size = Pt(size)
        file.styles[name].paragraph_format.space_before = Pt(2 if sheet.dense else 4)
    properties = file.core_properties
    properties.title, properties.author, properties.comments = sheet.title, "MedMPT Assistant", sheet.banner or ""
    properties.language = "zh-CN" if sheet.language == "zh" else "en"
    properties.created = properties.modified = datetime.now(UTC).replace(tzinfo=None)


def _language(properties: Any) -> None:
    """Chinese text is simplified Chinese: without it, punctuation is drawn as in Taiwan."""
    language = properties.makeelement(qn("w:lang"), {qn("w:val"): "en-GB", qn("w:eastAsia"): "zh-CN"})
    for old in properties.findall(qn("w:lang")):
        properties.remove(old)
    properties.append(language)


def _banner(paragraph: Any, banner: str) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = paragraph.add_run(banner)
    run.bold, run.font.color.rgb, run.font.size = True, _RED, Pt(12)


def _head(file: Any, sheet: Sheet) -> None:
    table = file.add_table(rows=0, cols=4)
    for column, width in zip(table.columns, (2.2, 6.4, 2.2, 6.4), strict=True):
        column.width = Cm(width)
    for n, (label, value) in enumerate(sheet.head):
        cells = table.add_row().cells[:2] if n % 2 == 0 else table.rows[-1].cells[2:]
        cells[0].text, cells[1].text = label, value
        cells[0].width, cells[1].width = Cm(2.2), Cm(6.4)
        cells[0].paragraphs[0].runs[0].font.color.rgb = _GREY
        cells[1].paragraphs[0].runs[0].bold = True


def _block(file: Any, block: Block) -> None:
    match block:
        case Heading():
            file.add_heading(block.text, level=block.level)
        case Rows():
            table = file.add_table(rows=1, cols=len(block.head), style="Table Grid")
            for cell, text in zip(table.rows[0].cells, block.head, strict=True):
                cell.paragraphs[0].add_run(text).bold = True
            for row in block.rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text
        case Line():
            _line(file, block)


def _line(file: Any, line: Line) -> None:
    paragraph = file.add_paragraph(style="List Bullet" if line.look in ("bullet", "danger") else None)
    if line.tag:
        tag = paragraph.add_run(f"[{line.tag}] ")
        tag.font.size, tag.font.color.rgb = Pt(7.5), _TEAL
    run = paragraph.add_run(line.text)
    run.bold = line.look in ("strong", "danger") or None
    if line.look == "danger":
        run.font.color.rgb = _RED
    if line.look == "small":
        run.font.size, run.font.color.rgb = Pt(7), _GREY
    if line.note:
        note = paragraph.add_run(f"  {line.note}")
        note.font.size, note.font.color.rgb = Pt(7), _GREY
