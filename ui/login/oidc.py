"""OpenID Connect: authorization code with PKCE and nonce; the identity token is checked against the provider's keys."""

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from agent.errors import BadInput
from agent.settings import Settings
from ui.login.extra import need

_SECONDS = 600.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ALGORITHMS = ["RS256", "ES256", "PS256"]


class Refused(Exception):
    """The provider, or its answer, does not let this person in; says why without naming anybody."""


@dataclass(frozen=True)
class _Pending:
    verifier: str
    nonce: str
    redirect: str
    browser: str
    until: float


class Provider:
    """One OpenID provider."""

    def __init__(self, settings: Settings) -> None:
        """As the settings say.

        Raises:
            BadInput: Issuer or client is not set.
        """
        if not settings.oidc_issuer or not settings.oidc_client_id:
            raise BadInput("MEDMPT_AUTH=oidc needs MEDMPT_OIDC_ISSUER and MEDMPT_OIDC_CLIENT_ID")
        self._issuer, self._client_id, self._secret = settings.oidc_issuer.rstrip("/"), settings.oidc_client_id, settings.oidc_client_secret
        self._pending: dict[str, _Pending] = {}
        self._lock = threading.Lock()

    def begin(self, redirect: str, browser: str) -> str:
        """Where the browser must go.

        Raises:
            Refused: The provider does not answer.
        """
        found = self._configuration()
        verifier, state, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        with self._client(redirect) as client:
            url, _ = client.create_authorization_url(found["authorization_endpoint"], state=state, code_verifier=verifier, nonce=nonce)
        now = time.monotonic()
        with self._lock:
            self._pending = {s: p for s, p in self._pending.items() if p.until > now}
            self._pending[state] = _Pending(verifier, nonce, redirect, browser, now + _SECONDS)
        return str(url)

    def finish(self, state: str, code: str, browser: str) -> str:
        """The user's stable name at this provider.

        Raises:
            Refused: An unknown, used, foreign or old login, or a token that does not hold.
        """
        with self._lock:
            pending = self._pending.pop(state, None)
        if pending is None or pending.until < time.monotonic() or not secrets.compare_digest(pending.browser, browser):
            raise Refused("this login is unknown, used, expired, or began in another browser")
        found = self._configuration()
        oauth = need("authlib.integrations.base_client.errors").OAuthError
        try:
            with self._client(pending.redirect) as client:
                token = client.fetch_token(found["token_endpoint"], code=code, code_verifier=pending.verifier)
        except (httpx.HTTPError, oauth) as error:
            raise Refused(f"the provider refused the login: {type(error).__name__}") from error
        return self._subject(str(token.get("id_token", "")), found, pending.nonce)

    def _subject(self, token: str, found: Mapping[str, str], nonce: str) -> str:
        jose, jwk, jwt = need("joserfc.errors"), need("joserfc.jwk"), need("joserfc.jwt")
        try:
            keys = jwk.KeySet.import_key_set(_get(found["jwks_uri"]))
            claims = jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
            wanted = {"iss": self._issuer, "aud": self._client_id, "nonce": nonce}
            registry = jwt.JWTClaimsRegistry(leeway=60, exp={"essential": True}, sub={"essential": True},
                                             **{k: {"essential": True, "value": v} for k, v in wanted.items()})  # fmt: skip
            registry.validate(claims)
        except (jose.JoseError, ValueError) as error:
            raise Refused(f"the provider's identity token does not hold: {type(error).__name__}") from error
        return f"oidc:{claims['sub']}"

    def _configuration(self) -> dict[str, str]:
        found = _get(f"{self._issuer}/.well-known/openid-configuration")
        if str(found.get("issuer", "")).rstrip("/") != self._issuer:
            raise Refused("the provider names another issuer than the one that is set")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        for name in names:
            url = urlsplit(str(found.get(name, "")))
            if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
                raise Refused(f"the provider names no safe {name}")
        return {name: str(found[name]) for name in names}

    def _client(self, redirect: str) -> Any:
        return need("authlib.integrations.httpx_client").OAuth2Client(
            client_id=self._client_id,
            client_secret=self._secret,
            redirect_uri=redirect,
            scope="openid",
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self._secret else "none",
            timeout=20,
        )


def _get(url: str) -> dict[str, Any]:
    try:
        answer = httpx.get(url, timeout=10)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Refused(f"the login provider does not answer: {type(error).__name__}") from error
    return found
