"""A report as DICOM SR, TID 1500 Measurement Report (Comprehensive SR), through highdicom (extra `dicom`).

PARTIAL, UNVERIFIED and PRELIMINARY until it is signed; then COMPLETE, VERIFIED by the person who signed, and FINAL. Measurements are coded
items of TID 1501; the words stand in containers of findings and impression, which the extensible template allows.
"""

import io
import uuid
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from tools.errors import ToolUnavailable
from tools.reports.document.record import ReportDocument
from tools.reports.export.coded import Code, Coded, coded
from tools.reports.export.words import both

if TYPE_CHECKING:
    from pydicom import Dataset

_INSTALL = "DICOM SR files need highdicom: pip install 'medmpt-assistant[dicom]'"
_SPACE = uuid.UUID("6f0ad0a4-1c1d-4a53-9c7e-2f7d1e3a9b11")
_MAKER = "MedMPT Assistant"
_OWN = "99MEDMPT"


def measurement_report(document: ReportDocument, signed: bool, headers: "Sequence[Dataset]") -> bytes:
    """The report as a DICOM file.

    Args:
        document: The report.
        signed: Whether its signature is in this installation's register.
        headers: Of the series that it is about; patient and study are theirs.

    Raises:
        ToolUnavailable: highdicom is not installed; names the command.
    """
    from pydicom.valuerep import DA, TM

    try:
        import highdicom
    except ModuleNotFoundError as missing:
        raise ToolUnavailable(_INSTALL) from missing
    signature = document.signature if signed else None
    sr = highdicom.sr.ComprehensiveSR(
        evidence=list(headers),
        content=_content(document, signed),
        series_instance_uid=_uid(document, "series"),
        series_number=_series_number(headers),
        sop_instance_uid=_uid(document, f"instance-{document.version}-{signed}"),
        instance_number=1,
        manufacturer=_MAKER,
        manufacturer_model_name=_MAKER,
        software_versions=version("medmpt-assistant"),
        device_serial_number="none",
        is_complete=signed,
        is_final=signed,
        is_verified=signed,
        series_description=f"{document.title} report",
        verifying_observer_name=_person(signature.name) if signature else None,
        verifying_organization=_organisation(headers) if signature else None,
    )
    sr.SpecificCharacterSet = "ISO_IR 192"
    moment = datetime.fromisoformat(document.changes[-1].at)
    sr.ContentDate, sr.ContentTime = DA(moment.date()), TM(moment.time())
    sr.CompletionFlagDescription = "signed" if signed else both("preliminary").split(" / ")[0].replace("—", "-")
    sr.CodingSchemeIdentificationSequence = [_scheme()]
    out = io.BytesIO()
    sr.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _scheme() -> "Dataset":
    """What our private coding scheme is."""
    from pydicom import Dataset

    scheme = Dataset()
    scheme.CodingSchemeDesignator, scheme.CodingSchemeName, scheme.CodingSchemeResponsibleOrganization = (
        _OWN,
        "Measurements of MedMPT",
        _MAKER,
    )
    return scheme


def _uid(document: ReportDocument, what: str) -> str:
    """The same for the same version of a document."""
    return f"2.25.{uuid.uuid5(_SPACE, f'{document.id}/{what}').int}"


def _person(name: str) -> str:
    """A name as DICOM writes it; which part is the family name is not known here."""
    return name if "^" in name else f"{name.replace('=', ' ')}^"


def _organisation(headers: "Sequence[Dataset]") -> str:
    return str(headers[0].get("InstitutionName") or "not stated")[:64]


def _series_number(headers: "Sequence[Dataset]") -> int:
    return min(9000 + int(headers[0].get("SeriesNumber") or 0), 2**31 - 1)


def _content(document: ReportDocument, signed: bool) -> Any:
    """The content tree: context, procedure, measurements, then the words."""
    from highdicom.sr import MeasurementReport
    from highdicom.sr.coding import CodedConcept
    from highdicom.sr.templates import LanguageOfContentItemAndDescendants

    zh = document.language == "zh"
    language = CodedConcept("zh", "RFC5646", "Chinese") if zh else CodedConcept("en", "RFC5646", "English")
    report = MeasurementReport(
        observation_context=_context(document, signed),
        procedure_reported=CodedConcept("24627-2", "LN", "CT Chest Report"),
        imaging_measurements=_groups(coded(document)) or None,
        title=CodedConcept("126000", "DCM", "Imaging Measurement Report"),
        language_of_content_item_and_descendants=LanguageOfContentItemAndDescendants(language),
    )
    for item in (*_words(document), *_sealed(document, signed)):
        report[0].ContentSequence.append(item)
    return report


def _context(document: ReportDocument, signed: bool) -> Any:
    """Who observes: the device alone, or the person who signed."""
    from highdicom.sr import (
        DeviceObserverIdentifyingAttributes,
        ObservationContext,
        ObserverContext,
        PersonObserverIdentifyingAttributes,
    )
    from pydicom.sr.codedict import codes

    device = ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=f"2.25.{_SPACE.int}", name=_MAKER, manufacturer_name=_MAKER, model_name=_MAKER
        ),
    )
    person = None
    if signed and document.signature is not None:
        named = PersonObserverIdentifyingAttributes(name=_person(document.signature.name))
        person = ObserverContext(observer_type=codes.DCM.Person, observer_identifying_attributes=named)
    return ObservationContext(observer_person_context=person, observer_device_context=device)


def _groups(numbers: tuple[Coded, ...]) -> list[Any]:
    """One measurement group for the lungs, and one for each mark of the reader."""
    from highdicom.sr import MeasurementsAndQualitativeEvaluations, TrackingIdentifier

    groups = []
    for name in dict.fromkeys(n.group for n in numbers):
        tracked = TrackingIdentifier(uid=f"2.25.{uuid.uuid5(_SPACE, name + numbers[0].sentence).int}", identifier=name)
        rows = [_measurement(n) for n in numbers if n.group == name]
        groups.append(MeasurementsAndQualitativeEvaluations(tracking_identifier=tracked, measurements=rows))
    return groups


def _measurement(number: Coded) -> Any:
    from highdicom.sr import AlgorithmIdentification, FindingSite, Measurement
    from highdicom.sr.coding import CodedConcept
    from pydicom.sr.codedict import codes

    code = number.code
    sides = {"left": codes.SCT.Left, "right": codes.SCT.Right}
    site = codes.SCT.Lung if code.site == "lung" else codes.SCT.Pleura
    algorithm = AlgorithmIdentification(name="medmpt ct quantify", version=version("medmpt-assistant"))
    return Measurement(
        name=_name(code),
        value=number.value,
        unit=CodedConcept(code.ucum, "UCUM", "Hounsfield unit" if "hnsf" in code.ucum else "percent" if code.ucum == "%" else code.ucum),
        algorithm_id=None if "-mark-" in number.group else algorithm,
        finding_sites=[FindingSite(anatomic_location=site, laterality=sides.get(code.side or ""))],
    )


def _name(code: Code) -> Any:
    from highdicom.sr.coding import CodedConcept

    if code.sct:
        return CodedConcept(code.sct, "SCT", {"118565006": "Volume", "103339001": "Long axis", "103340004": "Short axis"}[code.sct])
    return CodedConcept(code.code, _OWN, code.en)


def _words(document: ReportDocument) -> list[Any]:
    """Findings and impression as containers of text items; the other sections as text of their own."""
    findings = [s for section, said in document.printed() if section.reads in ("findings", "limits") for s in said]
    impression = [s for section, said in document.printed() if section.reads == "impression" for s in said]
    context = [s for section, said in document.printed() if section.reads in ("history", "technique", "comparison") for s in said]
    groups = (
        (("121060", "DCM", "History"), ("121060", "DCM", "History"), context),
        (("121070", "DCM", "Findings"), ("121071", "DCM", "Finding"), findings),
        (("121072", "DCM", "Impressions"), ("121073", "DCM", "Impression"), impression),
    )
    return [_container(head, [(item, s.text) for s in said]) for head, item, said in groups if said]


def _sealed(document: ReportDocument, signed: bool) -> list[Any]:
    """What the signature rests on: the digest of the signed text and the ledger's entry, as the other formats carry them."""
    signature = document.signature if signed else None
    if signature is None:
        return []
    rows = [(("signed-sha256", _OWN, "SHA-256 of the signed text"), signature.sha256)]
    if signature.ledger is not None:
        rows.append((("ledger-entry", _OWN, "Hash of the entry in the ledger"), signature.ledger))
    return [_container(("signature", _OWN, "Signature of the report"), rows)]


def _container(head: tuple[str, str, str], said: list[tuple[tuple[str, str, str], str]]) -> Any:
    """A container of coded texts."""
    from highdicom.sr import ContainerContentItem, ContentSequence, RelationshipTypeValues, TextContentItem
    from highdicom.sr.coding import CodedConcept

    contains = RelationshipTypeValues.CONTAINS
    box = ContainerContentItem(name=CodedConcept(*head), relationship_type=contains)
    texts = [TextContentItem(name=CodedConcept(*item), value=text, relationship_type=contains) for item, text in said]
    box.ContentSequence = ContentSequence(texts)
    return box
