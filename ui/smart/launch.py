"""The two steps of a SMART EHR launch: where to send the browser, and the record that its return brings."""

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from agent.settings import Settings
from tools.case.fhir import import_bundle
from tools.case.record import Case
from tools.errors import BadInput, ToolsError
from tools.hospital.extra import need
from tools.hospital.fhir_server import FhirServer

SCOPE = "launch openid fhirUser patient/*.read"
_SECONDS = 600.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Smart:
    """How this installation is known to the records that may launch it.

    Attributes:
        client_id: Registered at every issuer.
        issuers: FHIR base addresses that may launch; no other is ever contacted.
        client_secret: For a confidential client; None for a public one.
    """

    client_id: str
    issuers: tuple[str, ...]
    client_secret: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> "Smart | None":
        """As the settings say; None when launches are off."""
        if not settings.smart_client_id or not settings.smart_issuers:
            return None
        return cls(settings.smart_client_id, tuple(i.rstrip("/") for i in settings.smart_issuers), settings.smart_client_secret)


@dataclass(frozen=True)
class _Pending:
    issuer: str
    token_endpoint: str
    verifier: str
    redirect: str
    browser: str
    until: float


class Launches:
    """Launches that are under way; each is used once, within ten minutes, by the browser that began it."""

    def __init__(self, smart: Smart) -> None:
        """For this client."""
        self._smart = smart
        self._lock = threading.Lock()
        self._pending: dict[str, _Pending] = {}

    def begin(self, issuer: str, launch: str, redirect: str, browser: str) -> str:
        """Where the browser must go.

        Args:
            issuer: `iss` of the launch; must be one that the settings name.
            launch: Opaque value of the launch.
            redirect: Our return address.
            browser: Secret that the browser holds in a cookie.

        Raises:
            BadInput: An unknown issuer, or an incomplete launch.
            ToolsError: The issuer does not answer as SMART asks.
        """
        issuer = issuer.rstrip("/")
        if issuer not in self._smart.issuers:
            raise BadInput("this record is not registered here: MEDMPT_SMART_ISSUERS names those that are")
        if not launch:
            raise BadInput("the launch value is missing")
        found = _configuration(issuer)
        verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(32)
        asked = {"state": state, "code_verifier": verifier, "aud": issuer, "launch": launch}
        with self._client(redirect) as client:
            url, _ = client.create_authorization_url(found["authorization_endpoint"], **asked)
        now = time.monotonic()
        with self._lock:
            self._pending = {s: p for s, p in self._pending.items() if p.until > now}
            self._pending[state] = _Pending(issuer, found["token_endpoint"], verifier, redirect, browser, now + _SECONDS)
        return str(url)

    def finish(self, state: str, code: str, browser: str) -> Case:
        """The record of the patient in the launch, without identifiers.

        Raises:
            BadInput: An unknown, used, foreign or expired launch.
            ToolsError: The issuer refuses, names no patient, or does not answer.
        """
        with self._lock:
            pending = self._pending.pop(state, None)
        if pending is None or pending.until < time.monotonic() or not secrets.compare_digest(pending.browser, browser):
            raise BadInput(
                "this launch is unknown, was used before, has expired, or began in another browser; launch again from the record"
            )
        oauth = need("authlib.integrations.base_client.errors").OAuthError
        try:
            with self._client(pending.redirect) as client:
                token = client.fetch_token(pending.token_endpoint, code=code, code_verifier=pending.verifier)
        except (httpx.HTTPError, oauth) as error:
            raise ToolsError(f"the record refused the launch: {type(error).__name__}") from error
        patient = token.get("patient")
        if not isinstance(patient, str) or not patient:
            raise ToolsError("the record launched without a patient; open a patient there first")
        return import_bundle(FhirServer(pending.issuer, str(token["access_token"])).record(patient), "the record").case

    def _client(self, redirect: str) -> Any:
        oauth = need("authlib.integrations.httpx_client")
        return oauth.OAuth2Client(
            client_id=self._smart.client_id,
            client_secret=self._smart.client_secret,
            redirect_uri=redirect,
            scope=SCOPE,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self._smart.client_secret else "none",
            timeout=20,
        )


def _configuration(issuer: str) -> Mapping[str, str]:
    """Endpoints of an issuer; plain http only on this computer.

    Raises:
        ToolsError: No answer, or one without the endpoints or without PKCE.
    """
    try:
        answer = httpx.get(f"{issuer}/.well-known/smart-configuration", timeout=10, headers={"Accept": "application/json"})
        answer.raise_for_status()
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise ToolsError(f"the record at {issuer} gives no SMART configuration: {type(error).__name__}") from error
    for name in ("authorization_endpoint", "token_endpoint"):
        url = urlsplit(str(found.get(name, "")))
        if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
            raise ToolsError(f"the record at {issuer} names no safe {name}")
    if "S256" not in found.get("code_challenge_methods_supported", ["S256"]):
        raise ToolsError(f"the record at {issuer} does not offer PKCE with S256")
    return {name: str(found[name]) for name in ("authorization_endpoint", "token_endpoint")}
