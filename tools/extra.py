"""Import a package of an extra, or say how it is installed."""

from importlib import import_module
from typing import Any

from tools.errors import ToolUnavailable


def need(module: str, extra: str) -> Any:
    """The module, imported.

    Args:
        module: Dotted name.
        extra: The extra of this project that brings its package.

    Raises:
        ToolUnavailable: It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name is not None and module.split(".")[0] != missing.name.split(".")[0]:
            raise
        raise ToolUnavailable(f"{module.split('.')[0]} is not installed: run `pip install 'medmpt-assistant[{extra}]'`") from missing
