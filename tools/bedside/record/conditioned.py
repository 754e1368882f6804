"""A sentence of a data table that holds under a condition of the record."""

from pydantic import BaseModel, ConfigDict


class Conditioned(BaseModel):
    """Both languages, the condition (`expression`; empty for always) and the source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    test: str = ""
    en: str
    zh: str
    source: str
    year: int | None = None
