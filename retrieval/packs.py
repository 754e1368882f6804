"""Packs: another specialty as a folder of data, no code. Which packs are in use, and what each may hold.

| in the folder | same format as | served by |
|---|---|---|
| `pack.toml` | `Card` below | `medmpt pack list` |
| `guidelines/*.toml` | `retrieval/data/guidelines` | search, answers, emergencies' citations |
| `concepts.tsv`, `topics.tsv`, `cues.tsv` | `retrieval/data/concepts` | search in both languages, reading a message, checking a sentence |
| `drugs/*.csv` | `retrieval/data/drugs` | drug checks, drug graph; rows may name drugs of the house |
| `scores/*.toml` | `tools/data/calculators/specs` | `calc`, `calculate_score` |
| `asks/*.jsonl` | `retrieval/data/asks` | next questions; `pack check` asks them |
| `utterances/*.jsonl` | `agent/data/utterances` | `train reader`; `pack check` measures routing on them |
| `questions.jsonl` | `{"q", "lang", "facts": [[...]]}` | `pack check` answers them |

Every part may be missing. Packs are chosen once, when a program starts (`use`), before anything is read.
"""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retrieval.errors import BadInput

SHIPPED = Path(__file__).parent / "data" / "packs"
_chosen: list[tuple[Path, ...]] = []


class Card(BaseModel):
    """`pack.toml`: what a pack says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,31}$")
    title_en: str = Field(min_length=3)
    title_zh: str = Field(min_length=2)
    version: str
    licence: str
    author: str
    reviewed: str = ""


def card_of(folder: Path) -> Card:
    """The card of a pack.

    Raises:
        BadInput: The folder is no pack.
    """
    file = folder / "pack.toml"
    old = [name for name in ("terms.tsv", "concepts.csv") if (folder / name).exists()]
    if old:
        raise BadInput(f"pack {folder.name!r}: {' and '.join(old)} are one table now: write concepts.tsv and topics.tsv")
    if not file.is_file():
        raise BadInput(f"{folder.name!r} is no pack: it has no pack.toml")
    try:
        return Card.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as wrong:
        raise BadInput(f"{folder.name}/pack.toml: {wrong}") from wrong


def resolve(wanted: Sequence[str], installed: Path) -> tuple[Path, ...]:
    """Folders of the packs that settings name (a path, or the name of a shipped one), and all that are installed.

    Raises:
        BadInput: No such pack, or one name twice.
    """
    own = sorted(p for p in installed.iterdir() if (p / "pack.toml").is_file()) if installed.is_dir() else []
    folders = [*own, *(_named(w) for w in wanted)]
    names = [card_of(f).name for f in folders]
    return tuple(f for i, f in enumerate(folders) if names[i] not in names[:i])


def _named(wanted: str) -> Path:
    for place in (Path(wanted), SHIPPED / wanted):
        if (place / "pack.toml").is_file():
            return place.resolve()
    known = ", ".join(p.name for p in shipped())
    raise BadInput(f"no pack {wanted!r}: give a folder with pack.toml, or one that ships ({known})")


def shipped() -> tuple[Path, ...]:
    """Packs that ship and wait to be chosen."""
    return tuple(sorted(p for p in SHIPPED.iterdir() if (p / "pack.toml").is_file())) if SHIPPED.is_dir() else ()


def use(folders: Sequence[Path]) -> None:
    """Choose the packs of this program.

    Raises:
        BadInput: Others are in use: what was read of them cannot be forgotten.
    """
    if _chosen and _chosen[0] != tuple(folders):
        raise BadInput("packs are chosen when a program starts: start it again with the new choice")
    if not _chosen:
        _chosen.append(tuple(folders))


def active() -> tuple[Path, ...]:
    """Folders of the packs in use; from now on no others can be chosen."""
    if not _chosen:
        _chosen.append(())
    return _chosen[0]


def parts(name: str) -> Iterator[Path]:
    """The file or folder `name` of every pack in use that has it."""
    return (f / name for f in active() if (f / name).exists())
