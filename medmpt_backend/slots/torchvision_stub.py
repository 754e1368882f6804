"""A stand-in for torchvision while a package that only names it is imported.

torchvision's own build breaks transformers beside a CPU torch, and the layers that COLIPRI takes from timm use nothing of it.
"""

import enum
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

_NAMES = ("", ".ops", ".ops.misc", ".transforms", ".transforms.functional", ".datasets", ".models", ".models.feature_extraction", ".utils")


class _Modes(enum.Enum):
    """Names that are looked up when the module is read."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


class _Stub(ModuleType):
    """Any name is an empty class."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "InterpolationMode":
            return _Modes
        made = type(name, (), {})
        setattr(self, name, made)
        return made


@contextmanager
def without_torchvision() -> Iterator[None]:
    """Inside, `import torchvision` gives empty classes; afterwards it fails as before. Does nothing where torchvision is installed.

    What asks whether torchvision is installed (transformers) must have been imported before.
    """
    if find_spec("torchvision") is not None:
        yield
        return
    for name in _NAMES:
        full = f"torchvision{name}"
        stub = _Stub(full)
        stub.__spec__ = ModuleSpec(full, None, is_package=True)
        stub.__path__ = []
        sys.modules[full] = stub
    for name in _NAMES[1:]:
        parent, _, leaf = f"torchvision{name}".rpartition(".")
        setattr(sys.modules[parent], leaf, sys.modules[f"torchvision{name}"])
    try:
        yield
    finally:
        for name in _NAMES:
            sys.modules.pop(f"torchvision{name}", None)
