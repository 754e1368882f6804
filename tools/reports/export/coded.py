"""Numbers of a report that may leave in coded form: unedited, of a known name, and measured inside the domain of their method."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.evidence import Language
from tools.reports.document.record import ReportDocument

# Numbers of a mark carry its number in their name; its axes have a code, its density is not that of the lung.
_MARKED = re.compile(r"^mark_\d+_(?=(?:long|short)_mm$)")


class Code(BaseModel):
    """How one quantity leaves; the fields are told in `tools/data/reports/codes.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    zh: str
    ucum: str
    code: str
    site: Literal["lung", "pleura"]
    sct: str | None = None
    side: Literal["left", "right"] | None = None

    def name(self, language: Language) -> str:
        """In words."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Coded:
    """One number: its code, its value as the sentence rounds it, and the sentence and evidence it stands in."""

    code: Code
    value: float
    decimals: int
    sentence: str
    evidence: str
    group: str


@cache
def codes() -> dict[str, Code]:
    """The table of codes by the name of the quantity."""
    text = (files("tools") / "data" / "reports" / "codes.toml").read_text(encoding="utf-8")
    return {name: Code.model_validate(row) for name, row in tomllib.loads(text).items()}


def coded(document: ReportDocument) -> tuple[Coded, ...]:
    """Every number of the report that may leave; the order is that of its sentences."""
    found: list[Coded] = []
    for sentence, quantity in document.measured():
        code = codes().get(_MARKED.sub("", quantity.name))
        item = next((e for key in sentence.evidence if (e := document.cited(key)) and quantity in e.quantities), None)
        if code is None or item is None or item.validity == "out":
            continue
        decimals = 0 if code.ucum == "mm" else quantity.decimals  # a diameter as the sentence says it, in whole millimetres
        value = round(quantity.value, decimals)
        group = item.key if "-mark-" in item.key else "lungs"
        found.append(Coded(code, float(value), decimals, sentence.id, item.key, group))
    return tuple(found)


def left_out(document: ReportDocument) -> tuple[str, ...]:
    """Evidence whose numbers stay words because their method was outside its domain."""
    keys = (key for sentence, _ in document.measured() for key in sentence.evidence)
    return tuple(dict.fromkeys(k for k in keys if (e := document.cited(k)) is not None and e.validity == "out"))
