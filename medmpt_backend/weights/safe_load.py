"""Reading a checkpoint file without executing anything in it."""

import argparse
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from medmpt_backend.errors import BadInput

# torch stores tensors uncompressed; a zip that unpacks to more than this many times its size is not one of its files.
MAX_INFLATION = 4


@dataclass(frozen=True, eq=False)
class RawCheckpoint:
    """Tensors by group (`""` for the main one) and the training settings that the file carried."""

    groups: dict[str, dict[str, Tensor]]
    settings: dict[str, object] = field(default_factory=dict)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The main group, or the only one."""
        return self.groups[""] if "" in self.groups else next(iter(self.groups.values()))


def _check_zip(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(info.file_size for info in archive.infolist())
    if unpacked > MAX_INFLATION * path.stat().st_size:
        raise BadInput(
            f"{path.name!r} unpacks to {unpacked} bytes from {path.stat().st_size}; PyTorch files are not compressed, so it is refused"
        )


def _why(error: pickle.UnpicklingError) -> str:
    """What PyTorch met, without its advice to load the file unsafely."""
    name = re.search(r"GLOBAL\s+([\w.]+)", str(error))
    other = re.search(r"Unsupported [^\n]*", str(error))
    return f"it asks for {name[1]}" if name else other[0] if other else "unknown content"


def _torch(path: Path) -> object:
    _check_zip(path)
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals([argparse.Namespace]):
            warnings.simplefilter("ignore")  # about pickle protocols; what cannot be read is refused below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BadInput(
            f"{path.name!r} was refused: it is not a plain PyTorch checkpoint, or it wants to run code ({_why(error)}); "
            "nothing of it was executed"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{path.name!r} cannot be read as a checkpoint (truncated, damaged or another kind of file): {str(error)[:200]}"
        ) from error


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise BadInput(f"{path.name!r} is not a readable safetensors file: {str(error)[:200]}") from error


def _tensors(mapping: Mapping[object, object]) -> dict[str, Tensor]:
    return {k: v for k, v in mapping.items() if isinstance(k, str) and isinstance(v, Tensor)}


def read_checkpoint(path: Path) -> RawCheckpoint:
    """Read a container, a bare state dict, a dict of state dicts or a safetensors file.

    Args:
        path: The file; its name does not matter, except that `.safetensors` is read as such.

    Raises:
        BadInput: It is missing, damaged, empty, or holds anything but tensors and plain values.
    """
    if not path.is_file():
        raise BadInput(f"no file at {str(path)!r}")
    content = _safetensors(path) if path.suffix == ".safetensors" else _torch(path)
    if not isinstance(content, Mapping):
        raise BadInput(f"{path.name!r} holds a {type(content).__name__}, not a dictionary of tensors")
    config = content.get("config")
    settings = dict(vars(config)) if isinstance(config, argparse.Namespace) else dict(config) if isinstance(config, Mapping) else {}
    model = content.get("model")
    if isinstance(model, Mapping):
        groups = {"": _tensors(model)}
    elif direct := _tensors(content):
        groups = {"": direct}
    else:
        groups = {str(k): _tensors(v) for k, v in content.items() if isinstance(v, Mapping) and _tensors(v)}
    if not any(groups.values()):
        raise BadInput(f"{path.name!r} holds no tensors")
    return RawCheckpoint(groups, {str(k): v for k, v in settings.items()})
