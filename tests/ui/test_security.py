"""The server's doors, asked without a browser."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from ui.routes import make_router
from ui.security import Guard
from ui.session import COOKIE, SessionStore


@pytest.fixture
def client(scripted: ModuleType, tmp_path: Path) -> Iterator[TestClient]:
    assistant = scripted.ScriptedAssistant()
    sessions = SessionStore(assistant, tmp_path / "s")
    app = FastAPI()
    app.include_router(make_router(assistant, sessions))

    @app.get("/")
    def home() -> str:
        return "home"

    app.add_middleware(Guard, hosts={"127.0.0.1"})
    with TestClient(app, base_url="http://127.0.0.1:7860") as asked:
        asked.sessions = sessions  # type: ignore[attr-defined]
        asked.assistant = assistant  # type: ignore[attr-defined]
        yield asked


def case_of(client: TestClient) -> str:
    """Open a case in the client's session; its pixel token."""
    client.get("/")
    session = client.sessions.get(client.cookies[COOKIE])  # type: ignore[attr-defined]
    session.case = client.assistant.open_case("demo-cap-01", session=session.id)  # type: ignore[attr-defined]
    token: str = client.get("/studies").json()["studies"][0]["token"]
    return token


def test_first_visit_gets_a_private_cookie_and_a_strict_policy(client: TestClient) -> None:
    reply = client.get("/")
    cookie = reply.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    policy = reply.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert "*" not in policy
    assert "set-cookie" not in client.get("/").headers


def test_without_a_session_nothing_answers(client: TestClient) -> None:
    for path in ("/studies", "/study/abc/plane/axial/1", "/evidence/G-000001"):
        assert client.get(path).status_code == 401


def test_pixels_belong_to_their_session(client: TestClient) -> None:
    token = case_of(client)
    reply = client.get(f"/study/{token}/plane/axial/3")
    assert reply.status_code == 200
    assert len(reply.content) == 64 * 64 * 2  # int16, unpacked by the client
    assert "no-store" in reply.headers["cache-control"]
    assert len(client.get(f"/study/{token}/plane/coronal/3").content) == 24 * 64 * 2
    assert client.get(f"/study/{token}/plane/axial/999").status_code == 404
    assert client.get(f"/study/{token}/plane/oblique/3").status_code == 422
    added = client.post(f"/study/{token}/marks", json={"do": "add", "at": [1, 2, 3]}).json()
    assert added["marks"][0]["lesion"]["type"] == "solid"
    assert client.post(f"/study/{token}/marks", json={"do": "add", "at": "a"}).status_code == 422
    for path in ("info", "plane/axial/3", "over/axial/3", "keys"):
        stale = client.get(f"/study/{token}/{path}", headers={"x-medmpt-case": "another"})
        assert stale.status_code == 409, path
    client.cookies.clear()
    client.get("/")
    assert client.get(f"/study/{token}/plane/axial/3").status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_a_foreign_host_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 400


def test_a_foreign_origin_cannot_post(client: TestClient) -> None:
    token = case_of(client)
    body = {"do": "add", "at": [1, 2, 3]}
    assert client.post(f"/study/{token}/marks", json=body, headers={"origin": "http://evil.example"}).status_code == 403
    assert client.post(f"/study/{token}/marks", json=body, headers={"origin": "http://127.0.0.1:7860"}).status_code == 200


def test_gradio_serves_no_files_and_lists_nothing(client: TestClient) -> None:
    for path in ("/gradio_api/file=/etc/passwd", "/gradio_api/info", "/gradio_api/monitoring"):
        assert client.get(path).status_code == 404


def test_the_guard_reads_ipv6_hosts() -> None:
    app = FastAPI()
    app.add_middleware(Guard, hosts={"[::1]"})
    status = [TestClient(app, base_url=f"http://[::{n}]:7860").get("/nothing").status_code for n in (1, 2)]
    assert status == [404, 400]
