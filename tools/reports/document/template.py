"""The department's templates: which sections a report has, in which order, and what goes where."""

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from medmpt_backend.findings import FINDINGS
from tools.errors import BadInput
from tools.evidence import Language

Part = Literal["technique", "measurements", "impression", "limits", "machine"]
Reads = Literal["findings", "impression", "technique", "history", "comparison", "limits"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class TemplateSection(_Model):
    """One section; the fields are told in the shipped `chest_ct_en.toml`."""

    name: str
    heading: str
    reads: Reads
    part: Part | None = None
    findings: tuple[str, ...] = ()
    several: bool = False
    default: bool = False
    source: Literal["presentation", "prior"] | None = Field(default=None, alias="from")
    empty: str | None = None
    phrases: tuple[str, ...] = ()
    printed: bool = True


class Template(_Model):
    """A structured report of one kind, in one language."""

    id: str
    language: Language
    edition: str
    title: str
    detected: str
    sides: dict[str, str]
    mark: str
    section: tuple[TemplateSection, ...]

    @model_validator(mode="after")
    def _placed(self) -> "Template":
        """Findings that no section lists go to the section that their record names."""
        listed = {f for s in self.section for f in s.findings}
        new = {s.name: tuple(f.id for f in FINDINGS.values() if f.section == s.name and f.id not in listed) for s in self.section}
        placed = tuple(s.model_copy(update={"findings": (*s.findings, *new[s.name])}) for s in self.section)
        object.__setattr__(self, "section", placed)
        return self

    def of(self, name: str) -> TemplateSection | None:
        """The section of this name."""
        return next((s for s in self.section if s.name == name), None)

    def section_for(self, findings: frozenset[str]) -> str:
        """Where a sentence that names these findings goes."""
        names = [s.name for s in self.section if findings & set(s.findings)]
        if len(names) == 1:
            return names[0]
        fallback = next(s.name for s in self.section if s.default)
        return next((s.name for s in self.section if s.several), fallback) if names else fallback


@cache
def shipped() -> dict[str, Template]:
    """The templates that ship, by id."""
    root = files("tools") / "data" / "reports" / "templates"
    texts = [entry.read_text(encoding="utf-8") for entry in root.iterdir() if entry.name.endswith(".toml")]
    found = [Template.model_validate(tomllib.loads(text)) for text in texts]
    return {t.id: t for t in sorted(found, key=lambda t: t.id)}


def template_of(name: str | None, language: Language) -> Template:
    """A shipped template by id, the department's own by path, or for None the shipped one of this language.

    Raises:
        BadInput: No such template, or a file that is none.
    """
    if name is None:
        return next(t for t in shipped().values() if t.language == language)
    if name in shipped():
        return shipped()[name]
    path = Path(name)
    if path.suffix != ".toml" or not path.is_file():
        raise BadInput(f"no template {name!r}; there are: {', '.join(shipped())}, or give the path of your own .toml")
    try:
        template = Template.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError, UnicodeDecodeError) as error:
        raise BadInput(f"{path.name} is not a report template: {error}") from error
    if not any(s.default for s in template.section):
        raise BadInput(f"{path.name}: one section must have default = true, for findings that no section names")
    return template
