"""A real Orthanc on loopback, and CT series whose headers are full of planted identifiers."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pydicom
import pytest

from tools.case.virtual.dicom_writer import write_series

ORTHANC = shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/bin")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
# One word for each place that can hold a person's identity.
PLANTED: dict[str, str] = {
    "PatientName": "Plantedname^Quentin", "PatientID": "PLANTEDMRN77", "PatientBirthDate": "19511224", "OtherPatientIDs": "PLANTEDOTHER",
    "OtherPatientNames": "Plantedmaiden^Rosa", "PatientAddress": "12 Plantedstreet", "PatientTelephoneNumbers": "0170PLANTED55",
    "PatientComments": "lives with Plantedson", "AdditionalPatientHistory": "seen by Plantedhistory", "Occupation": "Plantedjob",
    "MilitaryRank": "Plantedrank", "PatientReligiousPreference": "Plantedfaith", "EthnicGroup": "Plantedgroup",
    "CountryOfResidence": "Plantedcountry", "RegionOfResidence": "Plantedregion", "PatientMotherBirthName": "Plantedmother^A",
    "AccessionNumber": "PLANTEDACC1", "StudyID": "PLANTEDSTUDY", "StudyDescription": "CT Plantedstudy",
    "SeriesDescription": "Plantedseriesdesc",
    "ProtocolName": "Plantedprotocol", "ReferringPhysicianName": "Plantedref^Bob", "PerformingPhysicianName": "Plantedperf^C",
    "OperatorsName": "Plantedop^D", "NameOfPhysiciansReadingStudy": "Plantedread^E", "PhysiciansOfRecord": "Plantedrecord^F",
    "RequestingPhysician": "Plantedreq^G", "RequestingService": "Plantedservice", "InstitutionName": "Plantedhospital",
    "InstitutionAddress": "1 Plantedway", "InstitutionalDepartmentName": "Planteddept", "StationName": "PLANTEDSTN",
    "DeviceSerialNumber": "PLANTEDSERIAL", "CurrentPatientLocation": "Plantedward", "ImageComments": "Plantedcomment",
    "RequestedProcedureDescription": "Plantedprocedure", "PerformedProcedureStepDescription": "Plantedstep",
    "ReasonForTheRequestedProcedure": "Plantedreason", "MedicalAlerts": "Plantedalert", "Allergies": "Plantedallergy",
    "AdmittingDiagnosesDescription": "Planteddiagnosis", "DerivationDescription": "Plantedderivation",
    "InsurancePlanIdentification": "PLANTEDINS",
    "PatientInstitutionResidence": "Plantedresidence", "ResponsiblePerson": "Plantedguardian^H", "ResponsibleOrganization": "Plantedorg",
    "IssuerOfPatientID": "Plantedissuer", "MedicalRecordLocator": "PLANTEDLOC", "PatientState": "Plantedstate",
    "VisitComments": "Plantedvisit",
    "TextComments": "Plantedtext", "AcquisitionComments": "Plantedacq", "ContentCreatorName": "Plantedcreator^I",
}  # fmt: skip


def plant(folder: Path, slices: int = 6) -> Path:
    """A small series with every planted identifier, one in a sequence, one in a private element and one in an overlay comment."""
    hu = np.random.default_rng(5).integers(-1000, 400, (slices, 32, 32)).astype(np.int16)
    write_series(hu, (2.5, 1.0, 1.0), folder, description="x", study_date="20250301")
    for file in folder.iterdir():
        ds = pydicom.dcmread(file)
        for keyword, value in PLANTED.items():
            setattr(ds, keyword, value)
        item = pydicom.Dataset()
        item.PersonName, item.InstitutionName, item.CodeMeaning = "Plantednested^J", "Plantednestedhospital", "ok"
        ds.PersonIdentificationCodeSequence = [item]
        ds.private_block(0x0013, "PLANTED BLOCK", create=True).add_new(1, "LO", "Plantedprivate")
        ds.add_new(0x60000022, "LO", "Plantedoverlay")
        ds.add_new(0x00390011, "UN", b"Plantedunknown")
        ds.save_as(file)
    return folder


def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    return found


@dataclass(frozen=True)
class Pacs:
    web: str
    peer: str
    port_back: int
    rest: str


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pacs]:
    """Orthanc of Debian with its DICOMweb plugin, an empty archive that knows MEDMPT."""
    if ORTHANC is None or not PLUGIN.exists():
        pytest.skip("Orthanc and orthanc-dicomweb (Debian packages) are not installed")
    folder = tmp_path_factory.mktemp("orthanc")
    http, dicom, back = port(), port(), port()
    config = {
        "Name": "TEST", "StorageDirectory": str(folder / "db"), "IndexDirectory": str(folder / "db"), "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True, "RegisteredUsers": {"medmpt": "secret"}, "HttpPort": http, "DicomPort": dicom, "DicomAet": "ORTHANC",
        "DicomModalities": {"us": ["MEDMPT", "127.0.0.1", back]}, "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(config), encoding="utf-8")
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen([ORTHANC, str(folder / "orthanc.json")], stdout=log, stderr=log, cwd=folder)
        try:
            rest = f"http://127.0.0.1:{http}"
            _wait(rest, server, folder / "log.txt")
            yield Pacs(f"{rest}/dicom-web", f"ORTHANC@127.0.0.1:{dicom}", back, rest)
        finally:
            server.terminate()
            server.wait(20)


def _wait(rest: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(150):
        assert server.poll() is None, log.read_text()
        try:
            if httpx.get(f"{rest}/system", auth=("medmpt", "secret")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"Orthanc did not answer: {log.read_text()}")
