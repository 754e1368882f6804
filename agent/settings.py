"""The only reader of the environment (prefix `MEDMPT_`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_cache_path, user_data_path
from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

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
        """Read the settings from `environ` (default `os.environ`).

        Raises:
            BadInput: A variable holds what it cannot; names it and says what to give.
        """
        given: dict[str, Any] = {name: text for name, text in (environ or {}).items() if text}
        try:
            read = _Environment() if environ is None else _Given(**given)
        except ValidationError as error:
            raise BadInput(str(error.errors()[0].get("ctx", {}).get("error") or error)) from error
        return cls(**{f.name: getattr(read, f.name) for f in fields(cls)})


def _words(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.split()) if isinstance(text, str) else text


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]


def effort_of(text: str | None, name: str = "MEDMPT_EFFORT") -> Effort:
    """A level of effort by its name; `medium` for none.

    Raises:
        BadInput: No such level.
    """
    if text not in (None, "", "low", "medium", "high"):
        raise BadInput(f"{name} is {text!r}: give low, medium or high")
    return "low" if text == "low" else "high" if text == "high" else "medium"


def _free_text(text: str) -> str:
    if text not in ("scrub", "home"):
        raise ValueError(f"MEDMPT_LLM_FREE_TEXT is {text!r}: give scrub or home")
    return text


def _effort(text: str) -> str:
    try:
        return effort_of(text)
    except BadInput as error:
        raise ValueError(str(error)) from error


def _auth(text: str) -> str:
    if text not in ("none", "local", "oidc"):
        raise ValueError(f"MEDMPT_AUTH is {text!r}: give none, local or oidc")
    return text


def _seconds(text: str | float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if value <= 0:
        raise ValueError(f"MEDMPT_LLM_SECONDS is {text!r}: give a number of seconds above 0")
    return value


def _context(text: str | int) -> int:
    if not str(text).isdecimal() or int(text) < 1024:
        raise ValueError(f"MEDMPT_LLM_CONTEXT is {text!r}: give a whole number of tokens, 1024 or more")
    return int(text)


class _Environment(BaseSettings):
    """The variables as they stand; an empty one counts as absent. Meanings and defaults are told at `Settings`."""

    model_config = SettingsConfigDict(
        alias_generator=lambda name: f"MEDMPT_{name.upper()}", case_sensitive=True, env_ignore_empty=True, extra="ignore"
    )

    data_dir: Path = Field(default_factory=own_data_dir)
    cache_dir: Path = Field(default_factory=lambda: user_cache_path(APP))
    weights: str | None = None
    llm: str = "planner"
    llm_seconds: Annotated[float, BeforeValidator(_seconds)] = 60.0
    llm_context: Annotated[int, BeforeValidator(_context)] = 16384
    llm_choices: Words = ()
    embedder: str = "minilm"
    chroma_url: str | None = None
    reranker: str | None = None
    packs: Words = ()
    threads_url: str | None = None
    otlp_endpoint: str | None = None
    api_key: str | None = None
    free_text: Annotated[Literal["scrub", "home"], BeforeValidator(_free_text)] = Field(default="scrub", alias="MEDMPT_LLM_FREE_TEXT")
    effort: Annotated[Effort, BeforeValidator(_effort)] = "medium"
    dicomweb_token: str | None = None
    fhir_token: str | None = None
    smart_client_id: str | None = None
    smart_client_secret: str | None = None
    smart_issuers: Words = ()
    auth: Annotated[Literal["none", "local", "oidc"], BeforeValidator(_auth)] = "none"
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = None
    hosts: Words = ()


class _Given(_Environment):
    """The same out of given variables alone."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but what was given."""
        return (init_settings,)
