"""The only reader of the environment (prefix `MEDMPT_`)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path, user_data_path

from agent.errors import BadInput

APP = "medmpt"
Effort = Literal["low", "medium", "high"]


def own_data_dir() -> Path:
    """The platform's own folder for user data, whatever the environment says."""
    return user_data_path(APP)


@dataclass(frozen=True)
class Settings:
    """Where things live and which parts are used.

    Attributes:
        data_dir: User data: threads, weights, imported documents (`MEDMPT_DATA_DIR`).
        cache_dir: Derived things: indexes, embeddings, demo studies; safe to delete (`MEDMPT_CACHE_DIR`).
        weights: Name of the MedMPT weights to use, None for the default, `none` to run without them (`MEDMPT_WEIGHTS`).
        llm: Which chat model composes answers: `planner`, `openai:MODEL@URL`, ... (`MEDMPT_LLM`).
        llm_seconds: Time limit of one call of the chat model (`MEDMPT_LLM_SECONDS`).
        llm_choices: The chat models that the page offers, and no others (`MEDMPT_LLM_CHOICES`, separated by white space).
        llm_context: Tokens of prompt and answer that the chat model takes (`MEDMPT_LLM_CONTEXT`); a model that takes fewer is sent less.
        embedder: Sentence embedder: `minilm` (ships), or a local path (`MEDMPT_EMBEDDER`).
        free_text: What of a person's own words goes to a chat model: `scrub` takes out what identifies, `home` sends none
            (`MEDMPT_LLM_FREE_TEXT`).
        effort: How hard a turn tries where nothing else is asked: `low`, `medium` or `high` (`MEDMPT_EFFORT`).
        reranker: Folder of a cross-encoder that reorders the best passages; None for none (`MEDMPT_RERANKER`).
        packs: Other specialties in use beside those installed: names of shipped ones, or folders (`MEDMPT_PACKS`, by white space).
        threads_url: Postgres server that holds the conversations; None for a file in the data folder (`MEDMPT_THREADS_URL`).
        otlp_endpoint: Collector that gets spans of every turn, without contents; None sends none (`MEDMPT_OTLP_ENDPOINT`).
        api_key: What clients of `serve-api` and `mcp --http` must send; None asks for none, on loopback only (`MEDMPT_API_KEY`).
        chroma_url: `http://host:port` of a Chroma server; None for the embedded store (`MEDMPT_CHROMA_URL`).
        dicomweb_token: Bearer token or `user:password` for the DICOMweb archive (`MEDMPT_DICOMWEB_TOKEN`).
        fhir_token: Bearer token for the FHIR server (`MEDMPT_FHIR_TOKEN`).
        smart_client_id: How electronic records that launch this page know it (`MEDMPT_SMART_CLIENT_ID`); None turns launches off.
        smart_client_secret: For a confidential client (`MEDMPT_SMART_CLIENT_SECRET`).
        smart_issuers: FHIR base addresses that may launch it (`MEDMPT_SMART_ISSUERS`, separated by white space).
        auth: Login of the page: `none` (loopback only), `local` accounts or `oidc` (`MEDMPT_AUTH`).
        oidc_issuer: OpenID provider, for example `https://login.hospital.example` (`MEDMPT_OIDC_ISSUER`).
        oidc_client_id: How it knows this page (`MEDMPT_OIDC_CLIENT_ID`).
        oidc_client_secret: For a confidential client (`MEDMPT_OIDC_CLIENT_SECRET`).
        hosts: Names under which the page may be addressed besides loopback (`MEDMPT_HOSTS`, separated by white space).
    """

    data_dir: Path
    cache_dir: Path
    weights: str | None = None
    llm: str = "planner"
    llm_seconds: float = 60.0
    llm_context: int = 16384
    llm_choices: tuple[str, ...] = ()
    embedder: str = "minilm"
    chroma_url: str | None = None
    reranker: str | None = None
    packs: tuple[str, ...] = ()
    threads_url: str | None = field(default=None, repr=False)
    otlp_endpoint: str | None = None
    api_key: str | None = field(default=None, repr=False)
    free_text: Literal["scrub", "home"] = "scrub"
    effort: Effort = "medium"
    dicomweb_token: str | None = field(default=None, repr=False)
    fhir_token: str | None = field(default=None, repr=False)
    smart_client_id: str | None = None
    smart_client_secret: str | None = field(default=None, repr=False)
    smart_issuers: tuple[str, ...] = ()
    auth: Literal["none", "local", "oidc"] = "none"
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from `environ` (default `os.environ`)."""
        env = os.environ if environ is None else environ
        return cls(
            data_dir=Path(env.get("MEDMPT_DATA_DIR") or own_data_dir()),
            cache_dir=Path(env.get("MEDMPT_CACHE_DIR") or user_cache_path(APP)),
            weights=env.get("MEDMPT_WEIGHTS") or None,
            llm=env.get("MEDMPT_LLM") or "planner",
            llm_seconds=_seconds(env.get("MEDMPT_LLM_SECONDS")),
            llm_choices=tuple((env.get("MEDMPT_LLM_CHOICES") or "").split()),
            llm_context=_context(env.get("MEDMPT_LLM_CONTEXT")),
            embedder=env.get("MEDMPT_EMBEDDER") or "minilm",
            chroma_url=env.get("MEDMPT_CHROMA_URL") or None,
            reranker=env.get("MEDMPT_RERANKER") or None,
            packs=tuple((env.get("MEDMPT_PACKS") or "").split()),
            threads_url=env.get("MEDMPT_THREADS_URL") or None,
            otlp_endpoint=env.get("MEDMPT_OTLP_ENDPOINT") or None,
            api_key=env.get("MEDMPT_API_KEY") or None,
            free_text=_free_text(env.get("MEDMPT_LLM_FREE_TEXT")),
            effort=effort_of(env.get("MEDMPT_EFFORT")),
            dicomweb_token=env.get("MEDMPT_DICOMWEB_TOKEN") or None,
            fhir_token=env.get("MEDMPT_FHIR_TOKEN") or None,
            smart_client_id=env.get("MEDMPT_SMART_CLIENT_ID") or None,
            smart_client_secret=env.get("MEDMPT_SMART_CLIENT_SECRET") or None,
            smart_issuers=tuple((env.get("MEDMPT_SMART_ISSUERS") or "").split()),
            auth=_auth(env.get("MEDMPT_AUTH")),
            oidc_issuer=env.get("MEDMPT_OIDC_ISSUER") or None,
            oidc_client_id=env.get("MEDMPT_OIDC_CLIENT_ID") or None,
            oidc_client_secret=env.get("MEDMPT_OIDC_CLIENT_SECRET") or None,
            hosts=tuple((env.get("MEDMPT_HOSTS") or "").split()),
        )


def _free_text(text: str | None) -> Literal["scrub", "home"]:
    if text not in (None, "", "scrub", "home"):
        raise BadInput(f"MEDMPT_LLM_FREE_TEXT is {text!r}: give scrub or home")
    return "home" if text == "home" else "scrub"


def effort_of(text: str | None, name: str = "MEDMPT_EFFORT") -> Effort:
    """A level of effort by its name; `medium` for none.

    Raises:
        BadInput: No such level.
    """
    if text not in (None, "", "low", "medium", "high"):
        raise BadInput(f"{name} is {text!r}: give low, medium or high")
    return "low" if text == "low" else "high" if text == "high" else "medium"


def _auth(text: str | None) -> Literal["none", "local", "oidc"]:
    if text in (None, "", "none"):
        return "none"
    if text == "local":
        return "local"
    if text == "oidc":
        return "oidc"
    raise BadInput(f"MEDMPT_AUTH is {text!r}: give none, local or oidc")


def _seconds(text: str | None) -> float:
    if not text:
        return 60.0
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if value <= 0:
        raise BadInput(f"MEDMPT_LLM_SECONDS is {text!r}: give a number of seconds above 0")
    return value


def _context(text: str | None) -> int:
    if not text:
        return 16384
    if not text.isdecimal() or int(text) < 1024:
        raise BadInput(f"MEDMPT_LLM_CONTEXT is {text!r}: give a whole number of tokens, 1024 or more")
    return int(text)
