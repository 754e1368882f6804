"""`eval verify`: planted faults caught and sound sentences refused, by language and kind."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from agent.errors import BadInput
from agent.evaluation.figures import Figure, share
from agent.verify import check
from tools.evidence import Evidence


def _known_kind(item: Any) -> Any:
    """Files from outside call a measured value of a scan or of the bedside `measurement`; here these are `ct` and `case`."""
    if isinstance(item, dict) and item.get("kind") == "measurement":
        return {**item, "kind": "case" if "vital" in str(item.get("source")) else "ct"}
    return item


class VerifyRow(BaseModel):
    """One sentence with the evidence it cites."""

    model_config = ConfigDict(frozen=True)

    id: str = ""
    label: Literal["fault", "sound"]
    kind: str
    lang: str
    keys: tuple[str, ...]
    text: str
    evidence: tuple[Annotated[Evidence, BeforeValidator(_known_kind)], ...]

    def refused(self) -> bool:
        """Whether `verify` does not support the sentence."""
        return check(self.text, self.keys, {e.key: e for e in self.evidence}).support is None


def read_rows(path: Path) -> list[VerifyRow]:
    """Rows of a file.

    Raises:
        BadInput: The file cannot be read, or a line is not a row; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"{path.name!r} cannot be read: {error.strerror}; give a JSONL file") from error
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows.append(VerifyRow.model_validate_json(line))
        except ValidationError as error:
            raise BadInput(f"{path.name!r} line {number} is not a row of a verify file: {error.errors()[0]['msg']}") from error
    if not rows:
        raise BadInput(f"{path.name!r} holds no rows")
    return rows


def figures_of(rows: list[VerifyRow]) -> dict[str, Figure]:
    """`caught` and `false_alarms`, over all, by language and by kind."""
    judged = [(row, row.refused()) for row in rows]
    out: dict[str, Figure] = {}
    for label, name in (("fault", "caught"), ("sound", "false_alarms")):
        chosen = [(row, refused) for row, refused in judged if row.label == label]
        out[name] = share([refused for _, refused in chosen])
        for part in sorted({r.lang for r, _ in chosen}):
            out[f"{name}_{part}"] = share(_where(chosen, lang=part))
        for part in sorted({r.kind for r, _ in chosen}):
            out[f"{name}_{part}"] = share(_where(chosen, kind=part))
    return out


def _where(judged: Iterable[tuple[VerifyRow, bool]], **wanted: str) -> list[bool]:
    return [refused for row, refused in judged if all(getattr(row, name) == value for name, value in wanted.items())]
