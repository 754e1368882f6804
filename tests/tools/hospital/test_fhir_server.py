"""A FHIR server on loopback that pages, validates what it is sent with `fhir.resources`, and wants a token."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from tools.case.fhir import import_bundle
from tools.errors import BadInput, EmptyInput, ToolsError
from tools.hospital.fhir_server import FhirServer

PATIENT = {
    "resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1956-04-02",
    "name": [{"family": "Plantedname"}], "identifier": [{"value": "PLANTEDMRN"}],
}  # fmt: skip


def _urea(number: int, value: float) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": f"o{number}", "status": "final", "effectiveDateTime": f"2025-03-0{number}T08:00:00Z",
        "code": {"coding": [{"system": "http://loinc.org", "code": "22664-7", "display": "Urea"}], "text": "Urea"},
        "valueQuantity": {"value": value, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
    }  # fmt: skip


def make_server(everything: bool, elsewhere: str | None = None) -> FastAPI:
    app = FastAPI()
    app.state.kept, app.state.put = [], {}

    @app.middleware("http")
    async def guarded(request: Request, go_on: Any) -> Response:
        if request.headers.get("authorization") != "Bearer good":
            return JSONResponse({"resourceType": "OperationOutcome", "issue": [{"code": "login"}]}, 401)
        answer: Response = await go_on(request)
        return answer

    @app.get("/fhir/Patient/{number}")
    def patient(number: str) -> Response:
        return JSONResponse(PATIENT) if number == "p1" else JSONResponse({"resourceType": "OperationOutcome", "issue": []}, 404)

    @app.get("/fhir/Patient/{number}/$everything")
    def whole(number: str, request: Request, page: int = 1) -> Response:
        if not everything or number != "p1":
            return JSONResponse({"resourceType": "OperationOutcome", "issue": []}, 404)
        base = elsewhere or f"{request.base_url}fhir"
        rows = [PATIENT, _urea(1, 11.2)] if page == 1 else [_urea(2, 7.1)]
        links = [{"relation": "next", "url": f"{base}/Patient/p1/$everything?page=2"}] if page == 1 else []
        return JSONResponse({"resourceType": "Bundle", "type": "searchset", "link": links, "entry": [{"resource": r} for r in rows]})

    @app.get("/fhir/{kind}")
    def search(kind: str) -> Response:
        rows = [_urea(1, 11.2), _urea(2, 7.1)] if kind == "Observation" else []
        return JSONResponse({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in rows]})

    @app.post("/fhir/DiagnosticReport")
    async def create(request: Request) -> Response:
        from fhir.resources.R4B.diagnosticreport import DiagnosticReport
        from pydantic import ValidationError

        try:
            DiagnosticReport.model_validate(await request.json())
        except ValidationError as error:
            issue = [{"severity": "error", "code": "invalid", "diagnostics": str(error.errors()[0]["msg"])}]
            return JSONResponse({"resourceType": "OperationOutcome", "issue": issue}, 422)
        app.state.kept.append(await request.json())
        return JSONResponse({}, 201, headers={"location": "/fhir/DiagnosticReport/1"})

    @app.post("/fhir")
    async def transaction(request: Request) -> Response:
        """As HL7 describes it: a transaction or a batch is carried out, any other bundle is refused."""
        from fhir.resources.R4B.bundle import Bundle

        sent = json.loads(Bundle.model_validate(await request.json()).model_dump_json())
        if sent["type"] not in ("transaction", "batch"):
            issue = [{"severity": "error", "code": "processing", "diagnostics": f"Bundle.type is {sent['type']}"}]
            return JSONResponse({"resourceType": "OperationOutcome", "issue": issue}, 400)
        said = []
        for entry in sent["entry"]:
            new = entry["request"]["url"] not in app.state.put
            app.state.put[entry["request"]["url"]] = entry["resource"]
            said.append({"response": {"status": "201 Created" if new else "200 OK", "location": f"{entry['request']['url']}/_history/1"}})
        return JSONResponse({"resourceType": "Bundle", "type": f"{sent['type']}-response", "entry": said})

    return app


class Running:
    """A FastAPI app on a free port of loopback."""

    def __init__(self, app: FastAPI) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="error"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)
        return f"http://127.0.0.1:{self.port}/fhir"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture(params=[True, False], ids=["everything", "searches"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with Running(make_server(request.param)) as address:
        yield address


def test_a_record_becomes_a_case_without_identity(url: str) -> None:
    case = import_bundle(FhirServer(url, "good").record("p1")).case
    assert [(o.value, o.unit) for o in case.labs] == [(11.2, "mmol/L"), (7.1, "mmol/L")]
    assert case.patient.sex == "male"
    assert "planted" not in case.model_dump_json().casefold()


def test_refusals_are_told_apart(url: str) -> None:
    with pytest.raises(EmptyInput, match="no Patient/p2"):
        FhirServer(url, "good").record("p2")
    with pytest.raises(ToolsError, match="401; check the token"):
        FhirServer(url, "bad").record("p1")
    with pytest.raises(BadInput, match="not a FHIR id"):
        FhirServer(url, "good").record("../metadata")
    with pytest.raises(ToolsError, match="cannot be reached"):
        FhirServer("http://127.0.0.1:1/fhir", "good").record("p1")


def test_a_page_on_another_host_is_not_followed() -> None:
    with Running(make_server(True, elsewhere="http://elsewhere.invalid/fhir")) as address, pytest.raises(ToolsError, match="another host"):
        FhirServer(address, "good").record("p1")


def test_a_report_is_sent_and_a_wrong_one_is_refused_with_the_reason(url: str, tmp_path: Path) -> None:
    report = {"resourceType": "DiagnosticReport", "status": "preliminary", "code": {"text": "CT chest"}}
    assert FhirServer(url, "good").send(json.loads(json.dumps(report))).endswith("DiagnosticReport/1")
    with pytest.raises(ToolsError, match="422"):
        FhirServer(url, "good").send({"resourceType": "DiagnosticReport", "status": 7})
    with pytest.raises(BadInput, match="'Patient' is not sent"):
        FhirServer(url, "good").send({"resourceType": "Patient"})


def _report() -> dict[str, Any]:
    """A collection bundle as `report export --format fhir` writes it."""
    report, patient, observation = (f"5d1e3f1c-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
    common = {"status": "preliminary", "code": {"text": "Chest CT"}, "subject": {"reference": f"urn:uuid:{patient}"}}
    rows = (
        {"resourceType": "DiagnosticReport", "id": report, **common, "result": [{"reference": f"urn:uuid:{observation}"}]},
        {"resourceType": "Patient", "id": patient, "gender": "male"},
        {"resourceType": "Observation", "id": observation, **common},
    )
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in rows]}


def test_a_report_is_kept_once_and_belongs_to_the_patient_of_the_record() -> None:
    app = make_server(True)
    with Running(app) as address:
        server = FhirServer(address, "good")
        for _ in range(2):
            assert server.send(_report(), "p1").startswith("DiagnosticReport/")
        assert [place.partition("/")[0] for place in app.state.put] == ["DiagnosticReport", "Observation"]
        assert {kept["subject"]["reference"] for kept in app.state.put.values()} == {"Patient/p1"}
        server.send(_report())
        assert sum(place.startswith("Patient/") for place in app.state.put) == 1
        with pytest.raises(BadInput, match="type 'document' is not sent"):
            server.send(_report() | {"type": "document"})
        with pytest.raises(BadInput, match="not a FHIR id"):
            server.send(_report(), "../p1")
        with pytest.raises(BadInput, match="not for a single"):
            server.send({"resourceType": "DiagnosticReport"}, "p1")
