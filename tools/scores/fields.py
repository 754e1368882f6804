"""Inputs that several calculators share, out of `data/calculators/fields.toml`."""

import tomllib
from functools import cache
from importlib.resources import files

from pydantic import TypeAdapter

from tools.scores.base import Field


@cache
def shared_fields() -> dict[str, Field]:
    """All shared inputs by key, in the order of the file."""
    text = (files("tools") / "data" / "calculators" / "fields.toml").read_text(encoding="utf-8")
    rows = {key: {"key": key, **row} for key, row in tomllib.loads(text).items()}
    return TypeAdapter(dict[str, Field]).validate_python(rows)


def shared(key: str) -> Field:
    """One of them; a key that is not there is a bug and raises."""
    return shared_fields()[key]
