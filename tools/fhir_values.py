"""Small readers of FHIR R4 values: text without zero-width characters, codes, quantities, days."""

import re
import unicodedata
from datetime import date
from typing import Any

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


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
    """A JSON number as float."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


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
