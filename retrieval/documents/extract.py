"""Text out of a document: PDF, HTML, Markdown, DOCX and plain text become pieces that know their page and heading.

What a document says is data: it is cleaned of characters that hide or reorder text and of anything that looks like one of our citation
keys or placeholders, and never interpreted.
"""

import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from retrieval.documents.orders import UNREADABLE, without_orders
from retrieval.documents.visible import uncommented, visible, visible_page, visible_runs
from retrieval.errors import BadInput
from retrieval.messages.patterns import patterns

_WORDS = patterns("retrieval.documents")

# A piece is about as long as a guideline passage; MiniLM reads 256 word pieces.
PIECE_WORDS = 160
PIECE_HAN = 320
MOST_BYTES = 200 * 1024 * 1024
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=\S)|(?<=[。！？；])")
_KEY_LIKE = re.compile(r"\[((?:G|X|D|L|S|C|CT|M|R|K)-[^\]\s]{1,40})\]")
_NUMBERED = _WORDS.regex("extract_numbered", 0)
_END = re.compile(r"[.!?。！？；;:：,，]$")


class Unreadable(BadInput):
    """A document that cannot be read; the text says why."""


@dataclass(frozen=True)
class Piece:
    """One stretch of a document.

    Attributes:
        text: Cleaned text on one line.
        page: Page number from 1; None where the format has no pages.
        heading: Headings above it, outermost first, joined by ` > `; empty where there are none.
    """

    text: str
    page: int | None = None
    heading: str = ""

    @property
    def locator(self) -> str:
        """Page and heading for a reader."""
        return " · ".join(part for part in (f"p. {self.page}" if self.page else "", self.heading) if part) or "text"


@dataclass(frozen=True)
class _Block:
    """A paragraph or heading as a reader function finds it; `level` is 0 for a paragraph."""

    text: str
    level: int = 0
    page: int | None = None


def extract(path: Path) -> tuple[str, list[Piece]]:
    """Title and pieces of the document at `path`.

    Raises:
        Unreadable: unknown kind, too large, broken, encrypted, or without text.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise Unreadable(f"{path.suffix or 'no suffix'!r} is none of {', '.join(sorted(READERS))}")
    if path.stat().st_size > MOST_BYTES:
        raise Unreadable(f"{path.stat().st_size // 1_000_000} MB, at most {MOST_BYTES // 1_000_000}")
    blocks = [b for b in reader(path) if b.text.strip()]
    pieces = list(_pieces(blocks))
    if not pieces:
        raise Unreadable("no text in it (a scan without text layer needs OCR first)")
    title = next((clean(b.text) for b in blocks if b.level == 1), "") or path.stem
    return title[:160], pieces


def clean(text: str) -> str:
    """One line without control, zero-width and bidirectional characters, and without look-alikes of citation keys and placeholders."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(
        " " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char
        for char in text
        if unicodedata.category(char) not in ("Cf", "Co", "Cn")
    )
    text = _KEY_LIKE.sub(r"(\1)", text).replace("{{", "{ {").replace("}}", "} }")
    return " ".join(text.split())


def _pieces(blocks: Iterable[_Block]) -> Iterator[Piece]:
    """Pack paragraphs under the same heading and page into pieces of bounded length."""
    trail: list[tuple[int, str]] = []
    packed: list[str] = []
    place: tuple[int | None, str] = (None, "")
    for block in blocks:
        if block.level:
            trail = [(level, text) for level, text in trail if level < block.level] + [(block.level, clean(block.text))]
            continue
        here = (block.page, " > ".join(text for _, text in trail))
        for sentence in (said for s in _sentences(clean(block.text)) if (said := without_orders(s)) != UNREADABLE):
            if packed and (here != place or _length(" ".join([*packed, sentence])) > 1.0):
                yield Piece(" ".join(packed), *place)
                packed = []
            place = here
            packed.append(sentence)
    if packed:
        yield Piece(" ".join(packed), *place)


def _sentences(text: str) -> Iterator[str]:
    """Sentences; one that is longer than a piece is cut at word boundaries or every `PIECE_HAN` characters."""
    for sentence in _SENTENCE.split(text):
        rest = sentence.strip()
        while _length(rest) > 1.0:
            cut = len(" ".join(rest.split(" ")[:PIECE_WORDS]))
            cut = min(cut, PIECE_HAN) if _length(rest[:cut]) > 1.0 else cut
            yield rest[:cut].strip()
            rest = rest[cut:].strip()
        if rest:
            yield rest


def _length(text: str) -> float:
    """Length as a share of what a piece may hold."""
    han = sum("\u3400" <= char <= "\u9fff" for char in text)
    return han / PIECE_HAN + len(text.split()) / PIECE_WORDS


def _read_pdf(path: Path) -> Iterator[_Block]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower() or "security" in str(error).lower()
        raise Unreadable("encrypted: remove the password first" if locked else f"broken PDF: {error}") from error
    try:
        outline = _outline(document)
        pages = [_lines(visible_page(page).get_textpage().get_text_bounded()) for page in document]
    except pypdfium2.PdfiumError as error:
        raise Unreadable(f"broken PDF: {error}") from error
    finally:
        document.close()
    running = _running_lines(pages)
    for number, lines in enumerate(pages, 1):
        yield from (_Block(title, level, number) for level, title in outline.get(number, ()))
        known = {title for _, title in outline.get(number, ())}
        yield from _paragraphs([line for line in lines if line not in running and line not in known], number)


def _outline(document: Iterable[object]) -> dict[int, list[tuple[int, str]]]:
    """Bookmarks by page number: `(level, title)`."""
    found: dict[int, list[tuple[int, str]]] = {}
    for mark in document.get_toc():  # type: ignore[attr-defined]
        target = mark.get_dest()
        page = target.get_index() if target else None
        if page is not None:
            found.setdefault(page + 1, []).append((mark.level + 1, clean(mark.get_title())))
    return found


def _lines(text: str) -> list[str]:
    text = re.sub(r"[-\u00ad\ufffe]\r?\n(?=[a-z])", "", text.replace("\ufffe", ""))
    return [line.strip() for line in text.splitlines()]


def _running_lines(pages: list[list[str]]) -> set[str]:
    """Headers and footers: first and last lines that stand on most of at least four pages."""
    edges = Counter(line for lines in pages for line in {*[x for x in lines if x][:1], *[x for x in lines if x][-1:]})
    return {line for line, times in edges.items() if len(pages) >= 4 and times > 0.6 * len(pages)}


def _paragraphs(lines: list[str], page: int | None) -> Iterator[_Block]:
    """Paragraphs of lines; a numbered short line without an end mark is a heading."""
    packed: list[str] = []
    for line in [*lines, ""]:
        heading = bool(_NUMBERED.match(line)) and not _END.search(line) and len(line.split()) <= 12
        if packed and (not line or heading):
            yield _Block(_join(packed), 0, page)
            packed = []
        if heading:
            yield _Block(line, 2 + min(line.split()[0].rstrip(".").count("."), 3), page)
        elif line:
            packed.append(line)


def _join(lines: list[str]) -> str:
    """Join lines; between two Han characters without a space."""
    return re.sub(r"(?<=[\u3400-\u9fff，。；、])\n(?=[\u3400-\u9fff])", "", "\n".join(lines))


def _read_html(path: Path) -> Iterator[_Block]:
    import trafilatura

    text = trafilatura.extract(
        visible(_decode(path)), output_format="markdown", include_tables=True, include_comments=False, favor_recall=True
    )
    yield from _markdown(text or "")


def _read_markdown(path: Path) -> Iterator[_Block]:
    yield from _markdown(uncommented(re.sub(r"\A---\n.*?\n---\n", "", _decode(path), flags=re.DOTALL)))


def _markdown(text: str) -> Iterator[_Block]:
    packed: list[str] = []
    for line in [*text.splitlines(), ""]:
        heading = re.match(r"(#{1,6})\s+(.+?)\s*#*$", line)
        if packed and (heading or not line.strip()):
            yield _Block(_join(packed))
            packed = []
        if heading:
            yield _Block(heading.group(2), len(heading.group(1)))
        elif line.strip() and not re.fullmatch(r"[\s|:`~=-]+", line):
            packed.append(re.sub(r"[*_`|]+|^\s*(?:[-+>]|\d+\.)\s+", " ", line))


def _read_docx(path: Path) -> Iterator[_Block]:
    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from docx.table import Table

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > 5 * MOST_BYTES:
                raise Unreadable("unpacks to more than 1 GB")
        document = docx.Document(str(path))
    except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise Unreadable(f"broken or encrypted DOCX: {error}") from error
    for item in document.iter_inner_content():
        if isinstance(item, Table):
            for row in item.rows:
                yield _Block(" | ".join(dict.fromkeys(" ".join(visible_runs(p) for p in cell.paragraphs).strip() for cell in row.cells)))
            continue
        style = (item.style.name or "") if item.style is not None else ""
        level = re.match(_WORDS.text("extract_level"), style)
        yield _Block(visible_runs(item), int(level.group(1)) + 1 if level else int(style == "Title"))


def _read_text(path: Path) -> Iterator[_Block]:
    yield from _paragraphs([line.strip() for line in _decode(path).splitlines()], None)


def _decode(path: Path) -> str:
    """Text of a file in UTF-8, UTF-16 with a mark, or GB 18030."""
    raw = path.read_bytes()
    if b"\0" in raw[:4096] and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("binary, not text")
    for encoding in ("utf-16",) if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("neither UTF-8 nor GB 18030")


READERS: dict[str, Callable[[Path], Iterator[_Block]]] = {
    ".pdf": _read_pdf,
    ".html": _read_html,
    ".htm": _read_html,
    ".md": _read_markdown,
    ".markdown": _read_markdown,
    ".docx": _read_docx,
    ".txt": _read_text,
}
