"""Small readers of FHIR R4 values: text without zero-width characters, codes, quantities, days."""

import math
import re
import unicodedata
from datetime import date
from typing import Any

from tools.errors import BadInput

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


# JSON type of every field that the importer reads.
_SHAPES: dict[str, type] = {
    "code": dict, "category": list, "component": list, "valueQuantity": dict, "valueCodeableConcept": dict, "referenceRange": list,
    "clinicalStatus": dict, "verificationStatus": dict, "reaction": list, "manifestation": list, "coding": list,
    "medicationCodeableConcept": dict, "low": dict, "high": dict,
}  # fmt: skip


# Their own `code` is a plain string.
_LEAVES = {"coding", "valueQuantity", "low", "high"}


def check_shape(resource: dict[str, Any], where: str) -> None:
    """Refuse a resource whose fields have another JSON type than FHIR R4 gives them.

    Raises:
        BadInput: Names the resource and the field.
    """
    for name, value in resource.items():
        wanted = _SHAPES.get(name)
        wrong = not isinstance(value, dict | None) if wanted is dict else wanted is list and not isinstance(value, list | None)
        if wrong and wanted is not None:
            raise BadInput(f"{where}: field {name!r} is {type(value).__name__}; FHIR R4 has {wanted.__name__} there")
        children = value if isinstance(value, list) else [value]
        if wanted is list and name != "category" and not all(isinstance(c, dict) for c in children if value is not None):
            raise BadInput(f"{where}: field {name!r} holds something else than objects")
        if wanted is not None and name not in _LEAVES:
            for child in children:
                if isinstance(child, dict):
                    check_shape(child, where)


def clean(value: object) -> str | None:
    """Text without zero-width characters and doubled spaces; None when empty or not text."""
    if not isinstance(value, str):
        return None
    text = " ".join(unicodedata.normalize("NFC", value.translate(_INVISIBLE)).split())
    return text or None


def text_of(concept_: object) -> str:
    """Readable name of a CodeableConcept, without SNOMED's `(disorder)` tags."""
    if not isinstance(concept_, dict):
        return ""
    codings = [c for c in concept_.get("coding") or [] if isinstance(c, dict)]
    text = clean(concept_.get("text")) or next((t for c in codings if (t := clean(c.get("display")))), None) or ""
    return re.sub(r"\s*\((?:disorder|finding|situation|procedure|substance|event)\)$", "", text)


def concept(value: object) -> list[str]:
    """Codes of a CodeableConcept."""
    if not isinstance(value, dict):
        return []
    return [str(c["code"]) for c in value.get("coding") or [] if isinstance(c, dict) and c.get("code")]


def codes(resource: dict[str, Any]) -> list[str]:
    """Codes of a resource's or component's `code`."""
    return concept(resource.get("code"))


def number(value: object) -> float | None:
    """A finite JSON number as float."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(value)


def quantity(part: dict[str, Any]) -> tuple[float, str | None, str | None] | None:
    """Value, unit and comparator of `valueQuantity`, at a precision a laboratory could report."""
    found = part.get("valueQuantity")
    if not isinstance(found, dict):
        return None
    value = number(found.get("value"))
    if value is None:
        return None
    unit = clean(found.get("unit")) or clean(found.get("code"))
    return float(f"{value:.4g}") if abs(value) < 1e4 else float(round(value)), unit, clean(found.get("comparator"))


def day(value: object) -> date | None:
    """The day of a FHIR date or dateTime; a bare year or month counts from its first day."""
    text = clean(value)
    match = re.match(r"^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", text or "")
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return None
