"""A report as FHIR R4: a Bundle of DiagnosticReport, its Observations and a Patient without identity, validated before it leaves.

`fhir.resources` (extra `export`) checks the shape; it does not know value sets, so codes come from our table alone.
"""

import base64
import uuid
from datetime import UTC, datetime
from html import escape
from typing import Any

from tools.errors import ToolUnavailable
from tools.reports.document.record import ReportDocument
from tools.reports.export.coded import Coded, coded
from tools.reports.export.markdown import markdown
from tools.reports.export.report import sheet_of
from tools.reports.export.words import both

_INSTALL = "FHIR files need fhir.resources: pip install 'medmpt-assistant[export]'"
_OWN = "urn:medmpt:report"
_SPACE = uuid.UUID("6f0ad0a4-1c1d-4a53-9c7e-2f7d1e3a9b10")
_GENDER = {"male": "male", "female": "female", "other": "other", "unknown": "unknown"}
_LUNG = {"lung": ("39607008", "Lung"), "pleura": ("3120008", "Pleura")}


def bundle(document: ReportDocument, signed: bool) -> bytes:
    """The report as a FHIR R4 collection Bundle in JSON.

    Args:
        document: The report.
        signed: Whether its signature is in this installation's register: `final`, otherwise `preliminary`.

    Raises:
        ToolUnavailable: fhir.resources is not installed; names the command.
    """
    try:
        from fhir.resources.R4B.bundle import Bundle
    except ModuleNotFoundError as missing:
        raise ToolUnavailable(_INSTALL) from missing
    patient = {"resourceType": "Patient", "id": _id(document, "patient"), "gender": _GENDER[document.subject.sex]}
    observations = [_observation(document, c, n, signed) for n, c in enumerate(coded(document), 1)]
    report = _report(document, observations, signed)
    entries = [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in (report, patient, *observations)]
    raw = {"resourceType": "Bundle", "type": "collection", "timestamp": _instant(document), "entry": entries}
    checked = Bundle.model_validate(raw)
    body: str = checked.model_dump_json(indent=1)
    return body.encode()


def _id(document: ReportDocument, what: str) -> str:
    """The same for the same version of a document, so that sending it twice adds nothing."""
    return str(uuid.uuid5(_SPACE, f"{document.id}/{document.version}/{what}"))


def _reference(document: ReportDocument, what: str) -> dict[str, str]:
    return {"reference": f"urn:uuid:{_id(document, what)}"}


def _instant(document: ReportDocument) -> str:
    return document.changes[-1].at if document.changes else datetime.now(UTC).isoformat(timespec="seconds")


def _report(document: ReportDocument, observations: list[dict[str, Any]], signed: bool) -> dict[str, Any]:
    status = "preliminary" if not signed else "appended" if document.kind == "addendum" else "final"
    page = sheet_of(document, signed)
    conclusion = " ".join(s.text for section, said in document.printed() if section.reads == "impression" for s in said)
    report: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "id": _id(document, "report"),
        "language": "zh-CN" if document.language == "zh" else "en",
        "text": {"status": "generated", "div": _narrative(document, signed)},
        "identifier": [{"system": _OWN, "value": document.id}],
        "status": status,
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD", "display": "Radiology"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "24627-2"}], "text": document.title},
        "subject": _reference(document, "patient"),
        "issued": _instant(document),
        "result": [{"reference": f"urn:uuid:{o['id']}"} for o in observations],
        "presentedForm": [
            {"contentType": "text/markdown", "title": document.title, "data": base64.b64encode(markdown(page).encode()).decode()}
        ],
    }
    if conclusion:
        report["conclusion"] = conclusion
    if document.study.date:
        report["effectiveDateTime"] = document.study.date
    if not observations:
        del report["result"]
    if signed and document.signature is not None:
        s = document.signature
        report["resultsInterpreter"] = [{"display": s.name}]
        report["identifier"].append({"system": f"{_OWN}:sha256", "value": s.sha256})
        if s.ledger is not None:
            report["identifier"].append({"system": f"{_OWN}:ledger", "value": s.ledger})
    if document.amends is not None:
        report["identifier"].append({"system": f"{_OWN}:amends", "value": document.amends.id})
    return report


def _narrative(document: ReportDocument, signed: bool) -> str:
    """The words as XHTML: what a receiver without our codes still shows."""
    banner = "" if signed else f"<p><b>{escape(both('preliminary'))}</b></p>"
    rows = "".join(
        f"<p><b>{escape(section.heading)}</b></p>" + "".join(f"<p>{escape(s.text)}</p>" for s in said)
        for section, said in document.printed()
    )
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{banner}{rows}</div>'


def _observation(document: ReportDocument, number: Coded, place: int, signed: bool) -> dict[str, Any]:
    code: dict[str, Any] = {"text": number.code.name(document.language)}
    if number.code.sct:
        code["coding"] = [{"system": "http://snomed.info/sct", "code": number.code.sct}]
    site, meaning = _LUNG[number.code.site]
    side = f"{number.code.side} {meaning.lower()}" if number.code.side else meaning
    row: dict[str, Any] = {
        "resourceType": "Observation",
        "id": _id(document, f"observation-{place}"),
        "status": "final" if signed else "preliminary",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "imaging"}]}],
        "code": code,
        "subject": _reference(document, "patient"),
        "valueQuantity": {
            "value": number.value,
            "unit": "HU" if "hnsf" in number.code.ucum else number.code.ucum,
            "system": "http://unitsofmeasure.org",
            "code": number.code.ucum,
        },
        "bodySite": {"coding": [{"system": "http://snomed.info/sct", "code": site}], "text": side},
        "method": {"text": number.evidence},
    }
    if document.study.date:
        row["effectiveDateTime"] = document.study.date
    return row
