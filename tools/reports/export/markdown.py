"""A page as Markdown; text from outside cannot become markup."""

import re

from tools.reports.export.sheet import Block, Heading, Line, Rows, Sheet

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#])")


def markdown(sheet: Sheet) -> str:
    """The page as Markdown (CommonMark with pipe tables)."""
    parts = [f"# {escaped(sheet.title)}"]
    if sheet.banner:
        parts.append(f"> **{escaped(sheet.banner)}**")
    parts.append("\n".join(f"- **{escaped(k)}:** {escaped(v)}" for k, v in sheet.head))
    parts += [_block(b) for b in sheet.blocks]
    parts.append(f"---\n\n*{escaped(sheet.foot)}*")
    if sheet.banner:
        parts.append(f"> **{escaped(sheet.banner)}**")
    return re.sub(r"(?<=\n)(- [^\n]*)\n\n(?=- )", r"\1\n", "\n\n".join(p for p in parts if p)) + "\n"


def escaped(text: str) -> str:
    """Text whose signs mean nothing in Markdown."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * (block.level + 1)} {escaped(block.text)}"
        case Rows():
            lines = [block.head, tuple("---" for _ in block.head), *block.rows]
            return "\n".join("| " + " | ".join(cell if cell == "---" else escaped(cell) for cell in row) + " |" for row in lines)
        case Line():
            return _line(block)


def _line(line: Line) -> str:
    body = escaped(line.text)
    if line.look in ("strong", "danger"):
        body = f"**{body}**"
    if line.tag:
        body = f"*{escaped(line.tag)}:* {body}"
    if line.note:
        body += f" *{escaped(line.note)}*"
    return f"- {body}" if line.look in ("bullet", "danger") else body
