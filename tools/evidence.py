"""What a tool may say: `Evidence` (one citable statement) and `ToolResult` (the envelope of every tool).

This is the only vocabulary that crosses from `tools` to `agent`. Leaves return domain objects; the modules of this room turn
them into `Evidence`; the agent may cite nothing else. Both are pydantic models because they travel through a checkpointer as
JSON: store `model_dump(mode="json")` and re-validate with `ToolResult.model_validate`.
"""

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationInfo, field_serializer, field_validator

from medmpt_backend.messages import Told
from retrieval.messages.catalogue import messages
from tools.names import ToolName as ToolName
from tools.spec import specs

pair = messages("tools.base").pair

Status = Literal["ok", "partial", "empty", "out_of_domain", "unavailable", "error"]
Language = Literal["en", "zh"]
Side = Literal["left", "right", "both"]
Validity = Literal["in", "out", "unknown"]
Kind = Literal["guideline", "document", "drug_graph", "ct", "model", "lab", "score", "report", "case", "similar_case"]


class Quantity(BaseModel):
    """A number with its unit, as a tool produced it.

    Attributes:
        name: Stable snake-case name inside its evidence (`urea`, `lungs_total_l`, `curb_65`).
        value: The number at full precision.
        unit: UCUM unit as written in text (`mmol/L`, `%`, `mm`, `L`, `points`); empty for a pure number.
        decimals: Decimals that prose may round to; a sentence that shows fewer or more digits must still round to it.
        high: Upper end when the quantity is a range (a score with missing inputs); `value` is then the lower end.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    value: float
    unit: str = ""
    decimals: int = 1
    high: float | None = None


class ModelCard(BaseModel):
    """What a statement of the MedMPT model rests on; it travels with the statement and is shown beside it.

    Attributes:
        weights: Name of the weights.
        trained_on: What they were trained on, in words.
        licence: Terms of the weights.
        domain: Whether the study is of the kind they were trained on.
        distance: Distance of the study from the training studies; None where the weights carry no statistics.
        limit: Largest distance that counts as inside.
        threshold: Operating point of the statement's label; None where none applies.
        calibrated: Whether scores were calibrated on held-out studies; None where the notion does not apply.
    """

    model_config = ConfigDict(frozen=True)

    weights: str
    trained_on: str
    licence: str
    domain: Validity
    distance: float | None = None
    limit: float | None = None
    threshold: float | None = None
    calibrated: bool | None = None


class Evidence(BaseModel):
    """One citable statement with everything `verify` needs to check a sentence against it.

    Attributes:
        key: Opaque and stable: `G-xxxxxx` guideline, `X-xxxxxx` document, `D-xxxxxx` drug graph, `L-...` lab, `S-...` score, `C-...` case,
            `CT-...` measurement, `M-...` model opinion, `R-...` report, `K-...` similar case. Never a path, never an identifier.
        kind: Which kind of source this is.
        text: The statement as one or more full English sentences: it can be quoted as it stands.
        text_zh: The same in Chinese; None where there is none.
        source: Issuer and title, or the method, or the record.
        year: Year of the edition or publication; None for the patient's own data.
        locator: Section, page, time of the sample, slice; what a reader needs to open it.
        validity: Whether the producing model or method was inside its domain; None where the notion does not apply.
        quantities: Numbers of the statement; prose is compared with these.
        subjects: Canonical lower-case English names of what it is about (drugs, analytes, findings, scores, topics).
        side: Laterality of the statement, where it has one.
        present: True asserted, False denied, None where polarity does not apply or was not assessed.
        population: To whom a recommendation applies; None when unrestricted.
        current: False for a superseded edition.
        superseded_by: Key or guideline id of the successor.
        conflicts: Keys of evidence that disagrees.
        inferred: True when derived by rule from `premises` and not stated by a source.
        premises: Keys this was inferred from.
        card: What a model's statement rests on; None for anything that is not a model's.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    kind: Kind
    text: str
    text_zh: str | None = None
    source: str
    year: int | None = None
    locator: str | None = None
    validity: Validity | None = None
    quantities: tuple[Quantity, ...] = ()
    subjects: tuple[str, ...] = ()
    side: Side | None = None
    present: bool | None = None
    population: str | None = None
    current: bool = True
    superseded_by: str | None = None
    conflicts: tuple[str, ...] = ()
    inferred: bool = False
    premises: tuple[str, ...] = ()
    card: ModelCard | None = None

    @property
    def citations(self) -> tuple[str, str]:
        """Where the statement comes from, as a sentence in English and in Chinese."""
        year = f" ({self.year})" if self.year and str(self.year) not in self.source else ""
        place = f"{self.source}{year}" + (f", {self.locator}" if self.locator else "")
        return pair("Source: {place}.", place=place)


class Payload(BaseModel):
    """Machine-readable part of a result, or a row of it; each tool's `ToolSpec` names its own, in the contract's shape."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


P = TypeVar("P", bound=Payload)


class ToolResult(BaseModel):
    """What every tool returns, whatever happened.

    Attributes:
        tool: Name of the tool.
        status: See CONTRACTS (`docs/architecture.md`): silence is a result, never "normal".
        reason: Why the status is not `ok`; names what to do (for `unavailable` the command that installs the part).
        query: The request as it was understood.
        counts: Counts before and after each filter, in order.
        warnings: Limits a reader must know.
        missing: Inputs that were needed and absent, by name.
        emergencies: Findings that need action now (critical values, tension pneumothorax), as sentences.
        evidence: Citable statements, most relevant first.
        data: Machine-readable payload of the tool for the command line and the page, of the type that its `ToolSpec` names; a stored
            record gets that type back. None, written as an empty object, where there is none.
    """

    model_config = ConfigDict(frozen=True)

    tool: ToolName
    status: Status
    reason: Told | None = None
    query: dict[str, JsonValue] = Field(default_factory=dict)
    counts: dict[str, int] = Field(default_factory=dict)
    warnings: tuple[Told, ...] = ()
    missing: tuple[Told, ...] = ()
    emergencies: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    data: Payload | None = None

    @field_validator("data", mode="before")
    @classmethod
    def _typed(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, dict) or "tool" not in info.data:
            return data
        return specs()[info.data["tool"]].payload(data) if data else None

    @field_serializer("data")
    def _plain(self, data: Payload | None) -> dict[str, JsonValue]:
        return {} if data is None else data.model_dump(mode="json")

    @classmethod
    def schema_of(cls, tool: str) -> dict[str, Any]:
        """JSON schema of a tool's result, the payload of that tool's own type or an empty object where there is none."""
        whole, kinds = cls.model_json_schema(mode="serialization"), specs()[tool].payload_schema()
        whole["$defs"] = whole.get("$defs", {}) | kinds.pop("$defs", {})
        nothing: dict[str, Any] = {"type": "object", "additionalProperties": False}
        whole["properties"]["data"] = {"anyOf": [kinds, nothing], "description": f"Payload of {tool}"}
        return whole

    def payload(self, kind: type[P]) -> P | None:
        """The payload where it is of this type."""
        return self.data if isinstance(self.data, kind) else None

    def for_model(self, language: Language = "en") -> str:
        """Text of the result for a chat model: status line, then one `[key] text` line per evidence."""
        head = f"{self.tool}: {self.status}" + (f" ({self.reason})" if self.reason else "")
        notes = [f"warning: {w}" for w in self.warnings] + [f"missing: {m}" for m in self.missing]
        lines = [f"[{e.key}] {(e.text_zh if language == 'zh' else None) or e.text}" for e in self.evidence]
        return "\n".join([head, *notes, *lines])
