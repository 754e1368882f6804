"""Import a package of the extra `login`, or say how it is installed."""

from importlib import import_module
from typing import Any

from ui.cli.errors import Unavailable


def need(module: str) -> Any:
    """The module, imported.

    Raises:
        Unavailable: It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name is not None and module.split(".")[0] != missing.name.split(".")[0]:
            raise
        raise Unavailable(f"{module.split('.')[0]} is not installed: run `pip install 'medmpt-assistant[login]'`") from missing
