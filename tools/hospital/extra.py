"""Import a package of the extra `hospital`, or say how it is installed."""

from importlib import import_module
from types import ModuleType

from tools.errors import ToolUnavailable


def need(module: str) -> ModuleType:
    """The module, imported.

    Raises:
        ToolUnavailable: It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name is not None and module.split(".")[0] != missing.name.split(".")[0]:
            raise
        raise ToolUnavailable(f"{module.split('.')[0]} is not installed: run `pip install 'medmpt-assistant[hospital]'`") from missing
