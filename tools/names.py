"""Names of the tools, without importing one: each is a module `tools/<room>/tool_<name>.py` that holds its `SPEC`."""

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

_ROOMS = Path(__file__).parent


@cache
def modules() -> dict[str, str]:
    """Tool name to the module of its record."""
    found = sorted(_ROOMS.glob("*/tool_*.py"))
    return {p.stem.removeprefix("tool_"): f"tools.{p.parent.name}.{p.stem}" for p in found}


def _known(name: str) -> str:
    if name not in modules():
        raise ValueError(f"no tool is called {name!r}; there are {', '.join(modules())}")
    return name


# A name that a pydantic model refuses when no tool bears it.
ToolName = Annotated[str, AfterValidator(_known)]
