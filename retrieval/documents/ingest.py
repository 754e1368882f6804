"""A hospital's own documents: added by path, kept as extracted pieces under the data directory, indexed under the cache directory.

Every document is written as soon as it is read, so a killed run goes on where it stopped; a document whose file changed is replaced, and
one whose file is gone leaves at the next `add` or `sync`.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from retrieval.concepts.lexicon import Lexicon, language_of
from retrieval.concepts.table import sources
from retrieval.documents.extract import READERS, Piece, Unreadable, extract
from retrieval.errors import BadInput
from retrieval.guidelines.passages import Guideline, Passage
from retrieval.index.embed import EmbeddingCache, Progress
from retrieval.index.shard import LAYOUT, Place, Shard, open_shard

ISSUER = "Own documents"


@dataclass(frozen=True)
class Document:
    """One imported document.

    Attributes:
        id: Hash of path and content; names its file in the data directory.
        path: Where it was read.
        digest: SHA-256 of its bytes.
        title: First top heading, or the file's name.
        year: Year of the file's last change.
        pieces: Its text.
    """

    id: str
    path: str
    digest: str
    title: str
    year: int
    pieces: tuple[Piece, ...]


@dataclass
class Changes:
    """What `add`, `sync` or `remove` did, by path; `skipped` pairs a path with the reason."""

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)


def add(data_dir: Path, paths: Sequence[Path], progress: Progress | None = None) -> Changes:
    """Take in files and folders; remember folders, so that `sync` finds what changes in them.

    Args:
        data_dir: User data directory.
        paths: Files or folders; a folder is searched through.
        progress: Called with (files done, files in all).

    Raises:
        BadInput: a path does not exist.
    """
    roots = [path.expanduser().resolve() for path in paths]
    missing = [str(path) for path, root in zip(paths, roots, strict=True) if not root.exists()]
    if missing:
        raise BadInput(f"no such file or folder: {', '.join(missing)}")
    _remember(data_dir, roots)
    return _take_in(data_dir, roots, progress)


def sync(data_dir: Path, progress: Progress | None = None) -> Changes:
    """Read again what was added before: new and changed files come in, files that are gone leave."""
    return _take_in(data_dir, _roots(data_dir), progress)


def remove(data_dir: Path, path: Path) -> Changes:
    """Take out a document, or all documents below a folder, and forget the path.

    Raises:
        BadInput: nothing of that path is in the index.
    """
    root = path.expanduser().resolve()
    gone = [d for d in documents(data_dir) if _below(Path(d.path), [root])]
    if not gone:
        raise BadInput(f"no imported document is at or below {str(path)!r}; `medmpt index list` shows them")
    _remember(data_dir, [], forget=root)
    for document in gone:
        _file(data_dir, document.id).unlink(missing_ok=True)
    return Changes(removed=[d.path for d in gone])


def documents(data_dir: Path) -> list[Document]:
    """All imported documents, by path."""
    found: list[Document] = []
    for path in sorted((data_dir / "documents").glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        found.append(Document(**{**data, "pieces": tuple(Piece(**piece) for piece in data["pieces"])}))
    return sorted(found, key=lambda d: d.path)


def open_documents(
    data_dir: Path,
    cache_dir: Path,
    embedder: str,
    chroma_url: str | None,
    lexicon: Lexicon,
    embeddings: EmbeddingCache,
    progress: Progress | None,
) -> Shard | None:
    """The shard of imported documents, built when missing or stale; None when there are none."""
    names = sorted(path.stem for path in (data_dir / "documents").glob("*.json"))
    if not names:
        return None
    words = b"".join(path.read_bytes() for path in sources())
    digest = hashlib.sha256(f"{LAYOUT} {embedder} {' '.join(names)}".encode() + words).hexdigest()[:16]
    place = Place(cache_dir / "index" / "documents", digest, chroma_url)
    return open_shard(place, lambda: passages(documents(data_dir)), lexicon, embeddings, progress)


def passages(found: Iterable[Document]) -> list[Passage]:
    """Documents as passages of kind "document"; a text that occurs twice is kept once."""
    made: dict[str, Passage] = {}
    for document in found:
        guideline = Guideline(f"document-{document.id}", ISSUER, document.title, document.year, "document", "current")
        for piece in document.pieces:
            key = "X-" + hashlib.sha256(f"{document.title}\0{piece.locator}\0{piece.text}".encode()).hexdigest()[:10]
            made.setdefault(
                key,
                Passage(
                    key=key,
                    id=f"{guideline.id}/{key}",
                    guideline=guideline,
                    section=piece.locator,
                    text=piece.text,
                    text_zh=piece.text,
                    kind="document",
                    language=language_of(piece.text),
                ),
            )
    return list(made.values())


def _take_in(data_dir: Path, roots: Sequence[Path], progress: Progress | None) -> Changes:
    changes = Changes()
    known = {d.path: d for d in documents(data_dir)}
    for document in known.values():
        if not Path(document.path).exists() and _below(Path(document.path), [*roots, *_roots(data_dir)]):
            _file(data_dir, document.id).unlink(missing_ok=True)
            changes.removed.append(document.path)
    files = _files(roots)
    contents = {d.digest: d.path for d in known.values() if Path(d.path).exists()}
    for done, path in enumerate(files, 1):
        _take_in_file(data_dir, path, known.get(str(path)), contents, changes)
        if progress is not None:
            progress(done, len(files))
    return changes


def _take_in_file(data_dir: Path, path: Path, known: Document | None, contents: dict[str, str], changes: Changes) -> None:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if known is not None and known.digest == digest:
            changes.unchanged.append(str(path))
            return
        if contents.get(digest, str(path)) != str(path):
            raise Unreadable(f"same content as {contents[digest]}")
        title, pieces = extract(path)
    except (Unreadable, OSError) as error:
        changes.skipped.append((str(path), str(error)))
        return
    year = datetime.fromtimestamp(path.stat().st_mtime, UTC).year
    identity = hashlib.sha256(f"{path}\0{digest}".encode()).hexdigest()[:16]
    _write(_file(data_dir, identity), asdict(Document(identity, str(path), digest, title, year, tuple(pieces))))
    contents[digest] = str(path)
    if known is not None:
        _file(data_dir, known.id).unlink(missing_ok=True)
    (changes.replaced if known is not None else changes.added).append(str(path))


def _files(roots: Iterable[Path]) -> list[Path]:
    """Files to read: a file as given, of a folder those of a known kind that are not hidden."""
    found: dict[Path, None] = {}
    for root in roots:
        inside = sorted(p for p in root.rglob("*") if p.is_file() and p.suffix.lower() in READERS) if root.is_dir() else [root]
        visible = [p for p in inside if p == root or not any(part.startswith((".", "~$")) for part in p.relative_to(root).parts)]
        found.update(dict.fromkeys(p for p in visible if p.exists()))
    return list(found)


def _below(path: Path, roots: Iterable[Path]) -> bool:
    return any(path == root or root in path.parents for root in roots)


def _file(data_dir: Path, identity: str) -> Path:
    return data_dir / "documents" / f"{identity}.json"


def _roots(data_dir: Path) -> list[Path]:
    path = data_dir / "documents" / "roots" / "roots.json"
    return [Path(p) for p in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []


def _remember(data_dir: Path, roots: Iterable[Path], forget: Path | None = None) -> None:
    kept = [root for root in _roots(data_dir) if forget is None or not _below(root, [forget])]
    merged = sorted({str(root) for root in (*kept, *roots)})
    _write(data_dir / "documents" / "roots" / "roots.json", merged)


def _write(path: Path, data: object) -> None:
    """Write JSON so that a reader sees the old file or the new one, never half of it; only the user may read it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(data, stream, ensure_ascii=False)
    os.replace(part, path)
