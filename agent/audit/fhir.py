"""The ledger as FHIR R4B AuditEvents: who asked what kind of thing, when, with which outcome; hashes, never contents."""

from collections.abc import Iterable
from typing import Any

from agent.audit.chain import Entry
from agent.errors import Unavailable

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_HASHES = "urn:medmpt:ledger"
# DICOM audit event codes.
_QUERY, _ACTIVITY = ("110112", "Query"), ("110100", "Application Activity")
_SOFTWARE = {"system": "http://terminology.hl7.org/CodeSystem/object-type", "code": "2", "display": "System Object"}
_ACTION = {"turn": "E", "tool": "E", "sign": "C", "erase": "D"}


def events(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """One AuditEvent for each entry, checked by `fhir.resources`.

    Raises:
        Unavailable: The package for FHIR is not installed.
    """
    try:
        from fhir.resources.R4B.auditevent import AuditEvent
    except ImportError as missing:
        raise Unavailable("FHIR export needs its extra: pip install 'medmpt-assistant[fhir]'") from missing
    import json

    return [json.loads(AuditEvent.model_validate(_event(e)).model_dump_json(exclude_none=True)) for e in entries]


def _event(entry: Entry) -> dict[str, Any]:
    code, display = _ACTIVITY if entry.kind in ("erase", "sign") else _QUERY
    body = entry.body or {}
    failed = body.get("status") == "error"
    details = {"kind": entry.kind, "digest": entry.digest, "previous": entry.prev, "erased-content": str(entry.body is None).lower()}
    details |= {k: str(body[k]) for k in ("status", "model", "answer", "patient", "report", "signed") if body.get(k)}
    details |= {f"version-{k}": v for k, v in body.get("versions", {}).items()}
    details |= {f"tool-{i}": f"{name} {status}" for i, (name, _, status) in enumerate(body.get("tools", []), 1)}
    return {
        "resourceType": "AuditEvent",
        "id": entry.hash[:32],
        "type": {"system": _DICOM, "code": code, "display": display},
        "action": _ACTION[entry.kind],
        "recorded": entry.at,
        "outcome": "8" if failed else "0",
        "agent": [
            {"requestor": True, "who": {"display": "person at this installation" if entry.kind != "tool" else "foreign agent"}},
            {"requestor": False, "who": {"display": "MedMPT Assistant"}, "type": {"text": "software"}},
        ],
        "source": {"observer": {"display": "MedMPT Assistant"}},
        "entity": [
            {
                "what": {"identifier": {"system": _HASHES, "value": entry.hash}},
                "type": _SOFTWARE,
                "detail": [{"type": k, "valueString": v} for k, v in details.items()],
            }
        ],
    }
