"""Login: nothing is answered before it, users reach nothing of each other, guessing is slowed, OpenID tokens are checked."""

import hashlib
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from agent.errors import BadInput
from agent.sessions.opening import shared_rows
from agent.settings import Settings
from tests.postgres import running
from ui.cli.errors import Usage
from ui.cli.serve import _refuse_open_door
from ui.login.accounts import FILE, Accounts, accounts_of
from ui.login.gate import Gate
from ui.login.oidc import Provider
from ui.login.routes import add_local, add_oidc
from ui.login.tickets import MOST_FAILURES, SharedTickets, Tickets
from ui.security import Guard

pytest.importorskip("argon2")
joserfc = pytest.importorskip("joserfc")


def _app(router: APIRouter, tickets: Tickets) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    @app.get("/secret")
    def secret(request: Request) -> dict[str, Any]:
        return {"user": request.scope["medmpt_user"], "session": request.scope["medmpt_session"]}

    app.include_router(router)
    app.add_middleware(Guard, hosts={"127.0.0.1", "testserver"})
    app.add_middleware(Gate, tickets=tickets)
    return app


@pytest.fixture
def local(tmp_path: Path, serving: Any) -> Iterator[str]:
    accounts = Accounts(tmp_path)
    accounts.put("ana", "a long password")
    accounts.put("ben", "another password")
    tickets, router = Tickets(), APIRouter()
    add_local(router, tickets, accounts)
    with serving(_app(router, tickets)) as url:
        yield url


def _login(browser: httpx.Client, url: str, name: str, password: str) -> httpx.Response:
    return browser.post(f"{url}/login", data={"name": name, "password": password})


def test_nothing_is_answered_before_the_login(local: str) -> None:
    with httpx.Client() as browser:
        assert browser.get(f"{local}/").headers["location"] == "/login"
        assert browser.get(f"{local}/secret").status_code == 401
        assert browser.post(f"{local}/anything").status_code == 401
        form = browser.get(f"{local}/login", headers={"accept-language": "zh-CN"})
        assert "密码" in form.text
        assert form.headers["x-frame-options"] == "DENY"
        assert _login(browser, local, "ana", "wrong").status_code == 401
        assert browser.get(f"{local}/secret").status_code == 401


def test_two_workers_share_accounts_and_logins(serving: Any, tmp_path: Path) -> None:
    """A login at one worker holds at the other, which a browser is sent to when the first is down; so does logging out."""
    pytest.importorskip("psycopg", reason="pip install 'medmpt-assistant[postgres]'")
    (tmp_path / "pg").mkdir()
    Accounts(tmp_path / "data").put("ana", "a long password")
    with ExitStack() as stack:
        url = stack.enter_context(running(tmp_path / "pg"))
        settings = Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache", threads_url=url)
        for _ in range(2):
            with accounts_of(settings) as accounts:  # those of the file go into the database, once
                assert accounts.names() == ("ana",)
        assert not (tmp_path / "data" / FILE).exists()
        urls = []
        for _ in range(2):
            rows, router = stack.enter_context(shared_rows(settings)), APIRouter()
            assert rows is not None
            tickets = SharedTickets(rows)
            add_local(router, tickets, Accounts(rows))
            urls.append(stack.enter_context(serving(_app(router, tickets))))
        browser = stack.enter_context(httpx.Client())
        assert _login(browser, urls[0], "ana", "wrong").status_code == 401
        assert _login(browser, urls[0], "ana", "a long password").status_code == 200
        assert [browser.get(f"{url}/secret").json()["user"] for url in urls] == ["ana", "ana"]
        other = stack.enter_context(httpx.Client())
        _login(other, urls[0], "ana", "a long password")
        other.post(f"{urls[0]}/logout")
        assert [other.get(f"{url}/secret").status_code for url in urls] == [401, 401]
        with accounts_of(settings) as accounts:
            accounts.put("ana", "another password")
        fresh = SharedTickets(stack.enter_context(shared_rows(settings)))  # type: ignore[arg-type]
        assert fresh.user(browser.cookies["medmpt_login"]) is None, "a new password ends the logins of the old one"


def test_users_of_one_browser_have_sessions_of_their_own(local: str) -> None:
    with httpx.Client() as browser:
        entered = _login(browser, local, "ana", "a long password")
        assert "samesite=strict" in entered.headers["set-cookie"].lower()
        assert "httponly" in entered.headers["set-cookie"].lower()
        first = browser.get(f"{local}/").json()
        assert first["user"] == "ana"
        session = browser.get(f"{local}/secret").json()["session"]
        browser.post(f"{local}/logout")
        assert browser.get(f"{local}/secret").status_code == 401
        _login(browser, local, "ben", "another password")
        second = browser.get(f"{local}/secret").json()
        assert second["user"] == "ben"
        assert second["session"] != session  # the same browser cookie, another user


def test_another_origin_cannot_log_somebody_in(local: str) -> None:
    form = {"name": "ana", "password": "a long password"}
    assert httpx.post(f"{local}/login", data=form, headers={"origin": "http://evil.example"}).status_code == 403


def test_guessing_is_slowed_for_the_name_and_says_so(local: str) -> None:
    with httpx.Client() as browser:
        for _ in range(MOST_FAILURES):
            assert _login(browser, local, "ana", "wrong").status_code == 401
        slowed = _login(browser, local, "ana", "a long password")
        assert slowed.status_code == 429
        assert re.search(r"\d+ seconds", slowed.text)


def test_accounts_are_hashed_for_their_owner_only(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "data")
    accounts.put("ana", "a long password")
    file = tmp_path / "data" / "accounts.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "a long password" not in file.read_text()
    assert "$argon2id$" in file.read_text()
    assert accounts.right("ana", "a long password")
    assert not accounts.right("ana", "another")
    assert not accounts.right("nobody", "a long password")
    for name, password, why in (("Ana", "a long password", "a-z"), ("ana", "short", "fewer than")):
        with pytest.raises(BadInput, match=why):
            accounts.put(name, password)
    accounts.remove("ana")
    assert accounts.names() == ()


def test_without_a_login_only_this_computer_is_served(tmp_path: Path) -> None:
    _refuse_open_door("127.0.0.1", Settings(tmp_path, tmp_path))
    with pytest.raises(Usage, match="without a login"):
        _refuse_open_door("0.0.0.0", Settings(tmp_path, tmp_path))
    with pytest.raises(Usage, match="no account yet"):
        _refuse_open_door("0.0.0.0", Settings(tmp_path, tmp_path, auth="local"))
    Accounts(tmp_path).put("ana", "a long password")
    _refuse_open_door("0.0.0.0", Settings(tmp_path, tmp_path, auth="local"))


class Issuer:
    """An OpenID provider on loopback; `spoil` changes the claims of its next token."""

    def __init__(self) -> None:
        from joserfc.jwk import RSAKey

        self.key = self.published = RSAKey.generate_key(2048, {"kid": "k1"})
        self.asked: dict[str, str] = {}
        self.spoil: dict[str, Any] = {}
        self.url = ""

    def app(self) -> FastAPI:
        from joserfc import jwt

        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def configuration() -> dict[str, str]:
            paths = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            return {"issuer": self.url, **{k: f"{self.url}/{v}" for k, v in paths.items()}}

        @app.get("/keys")
        def keys() -> dict[str, Any]:
            return {"keys": [self.published.as_dict(private=False)]}

        @app.get("/authorize")
        def authorize(request: Request) -> Response:
            self.asked = dict(request.query_params)
            return RedirectResponse(f"{self.asked['redirect_uri']}?code=C&state={self.asked['state']}")

        @app.post("/token")
        async def token(request: Request) -> Response:
            form = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
            proof = urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
            if proof != self.asked["code_challenge"]:
                return JSONResponse({"error": "invalid_grant"}, 400)
            claims = {"iss": self.url, "aud": "page", "sub": "u1", "nonce": self.asked["nonce"], "exp": int(time.time()) + 60, **self.spoil}
            signed = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)
            return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": signed})

        return app


@pytest.fixture
def oidc(tmp_path: Path, serving: Any) -> Iterator[tuple[str, Issuer]]:
    issuer = Issuer()
    with serving(issuer.app()) as issuer.url:
        settings = Settings(tmp_path, tmp_path, auth="oidc", oidc_issuer=issuer.url, oidc_client_id="page")
        tickets, router = Tickets(), APIRouter()
        add_oidc(router, tickets, Provider(settings))
        with serving(_app(router, tickets)) as url:
            yield url, issuer


def _through(browser: httpx.Client, url: str) -> httpx.Response:
    allowed = browser.get(browser.get(f"{url}/login/oidc").headers["location"])
    return browser.get(allowed.headers["location"])


def test_openid_login(oidc: tuple[str, Issuer]) -> None:
    url, _ = oidc
    with httpx.Client() as browser:
        assert _through(browser, url).status_code == 200
        assert browser.get(f"{url}/secret").json()["user"] == "oidc:u1"


@pytest.mark.parametrize("spoil", [{"aud": "other"}, {"iss": "http://x"}, {"nonce": "old"}, {"exp": 1}, {"sub": None}])
def test_a_token_that_does_not_hold_lets_nobody_in(oidc: tuple[str, Issuer], spoil: dict[str, Any]) -> None:
    url, issuer = oidc
    issuer.spoil = spoil
    with httpx.Client() as browser:
        assert _through(browser, url).status_code == 401
        assert browser.get(f"{url}/secret").status_code == 401


def test_a_token_signed_by_somebody_else_lets_nobody_in(oidc: tuple[str, Issuer]) -> None:
    from joserfc.jwk import RSAKey

    url, issuer = oidc
    issuer.published = issuer.key
    issuer.key = RSAKey.generate_key(2048, {"kid": "k1"})
    with httpx.Client() as browser:
        assert _through(browser, url).status_code == 401
