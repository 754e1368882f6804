"""An EHR launch over real HTTP: a record on loopback that checks PKCE, audience and launch value, and then gives its patient."""

import base64
import hashlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from agent.settings import Settings
from tools.case.files import load_case
from ui.health import not_ready
from ui.smart.launch import Smart
from ui.smart.routes import Tickets, add_routes


@dataclass
class Record:
    """What the record's authorization server remembers of a launch."""

    port: int
    asked: dict[str, str] = field(default_factory=dict)
    patient: str | None = "p1"

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/fhir/.well-known/smart-configuration")
        def configuration() -> dict[str, Any]:
            base = f"http://127.0.0.1:{self.port}"
            return {
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "code_challenge_methods_supported": ["S256"],
            }

        @app.get("/authorize")
        def authorize(request: Request) -> Response:
            self.asked = dict(request.query_params)
            if self.asked.get("aud") != self.issuer or self.asked.get("launch") != "L1" or self.asked.get("client_id") != "medmpt-test":
                return JSONResponse({"error": "invalid_request"}, 400)
            return RedirectResponse(f"{self.asked['redirect_uri']}?code=C1&state={self.asked['state']}")

        @app.post("/token")
        async def token(request: Request) -> Response:
            form = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
            challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
            if form["code"] != "C1" or challenge != self.asked["code_challenge"] or form["redirect_uri"] != self.asked["redirect_uri"]:
                return JSONResponse({"error": "invalid_grant"}, 400)
            answer = {"access_token": "good", "token_type": "Bearer", "expires_in": 300, "scope": self.asked["scope"]}
            return JSONResponse(answer | ({"patient": self.patient} if self.patient else {}))

        @app.get("/fhir/Patient/{number}/$everything")
        def record(number: str, request: Request) -> Response:
            if request.headers.get("authorization") != "Bearer good":
                return JSONResponse({}, 401)
            patient = {"resourceType": "Patient", "id": number, "gender": "female", "birthDate": "1950-01-01"}
            return JSONResponse({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": patient}]})

        return app


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    return found


def _serve(app: FastAPI, port: int) -> uvicorn.Server:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.02)
    return server


@dataclass
class Both:
    ours: str
    record: Record
    tickets: Tickets


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    pytest.importorskip("authlib")
    record, tickets, port = Record(_port()), Tickets(tmp_path / "tickets"), _port()
    router = APIRouter()
    add_routes(router, Smart("medmpt-test", (record.issuer,)), tickets)
    app = FastAPI()
    app.include_router(router)
    servers = [_serve(record.app(), record.port), _serve(app, port)]
    yield Both(f"http://127.0.0.1:{port}", record, tickets)
    for server in servers:
        server.should_exit = True


def _to_callback(both: Both, browser: httpx.Client) -> str:
    """Follow the launch until the record sends the browser back; the return address."""
    begun = browser.get(f"{both.ours}/smart/launch", params={"iss": both.record.issuer, "launch": "L1"})
    assert begun.status_code == 307, begun.text
    allowed = browser.get(begun.headers["location"])
    assert allowed.status_code == 307, allowed.text
    return str(allowed.headers["location"])


def test_a_launch_opens_the_patient_once(both: Both, tmp_path: Path) -> None:
    with httpx.Client() as browser:
        back = _to_callback(both, browser)
        arrived = browser.get(back)
        found = re.search(r"/\?opened=([\w-]+)", arrived.text)
        assert arrived.status_code == 200
        assert found is not None
        again = browser.get(back)
        assert again.status_code == 400
    assert both.record.asked["code_challenge_method"] == "S256"
    (tmp_path / "session").mkdir()
    place = both.tickets.take(found[1], tmp_path / "session")
    assert place is not None
    assert load_case(place).case.patient.sex == "female"
    assert both.tickets.take(found[1], tmp_path / "session") is None


def test_another_browser_cannot_finish_a_launch(both: Both) -> None:
    with httpx.Client() as browser, httpx.Client() as thief:
        back = _to_callback(both, browser)
        assert thief.get(back).status_code == 400


def test_an_unknown_record_is_never_contacted(both: Both) -> None:
    answer = httpx.get(f"{both.ours}/smart/launch", params={"iss": "http://127.0.0.1:9/fhir", "launch": "L1"})
    assert answer.status_code == 400
    assert "MEDMPT_SMART_ISSUERS" in answer.text


def test_a_launch_without_a_patient_says_so(both: Both) -> None:
    both.record.patient = None
    with httpx.Client() as browser:
        answer = browser.get(_to_callback(both, browser))
    assert answer.status_code == 400
    assert "without a patient" in answer.text


def test_launches_are_off_unless_registered(tmp_path: Path) -> None:
    assert Smart.of(Settings(tmp_path, tmp_path)) is None
    env = {"MEDMPT_SMART_CLIENT_ID": "c", "MEDMPT_SMART_CLIENT_SECRET": "hidden", "MEDMPT_SMART_ISSUERS": "https://a/fhir/ https://b/fhir"}
    smart = Smart.of(Settings.from_environment(env))
    assert smart is not None
    assert smart.issuers == ("https://a/fhir", "https://b/fhir")
    assert "hidden" not in repr(smart)
    assert urlsplit(smart.issuers[0]).hostname == "a"


def test_readiness_names_what_is_missing(tmp_path: Path) -> None:
    assert not_ready(Settings(data_dir=tmp_path / "none", cache_dir=tmp_path)) == ["data_dir", "index"]
    (tmp_path / "data").mkdir()
    (tmp_path / "cache" / "index" / "guidelines").mkdir(parents=True)
    here = Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")
    assert not_ready(here) == []
    away = replace(here, threads_url="postgresql://medmpt:x@127.0.0.1:1/none", chroma_url="http://127.0.0.1:1")
    assert not_ready(away) == ["threads", "chroma"]
    (tmp_path / "data" / "threads.sqlite").write_bytes(b"not a database at all, only some bytes" * 40)
    assert not_ready(here) == ["threads"]
