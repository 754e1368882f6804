"""Encoded studies and their bounded cache, in memory and on disk."""

import contextlib
import os
import tempfile
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.inference.training_domain import Validity

Floats = NDArray[np.float32]
_PATCHES = "patches_"
_INPUTS = "inputs_"


@dataclass(frozen=True, eq=False)
class Encoding:
    """One encoded study.

    Attributes:
        key: Content hash of study, configuration, weights and precision.
        scan: `(D,)` scan embedding.
        slices: `(S, D)` slice embeddings, foot first.
        tokens: `(S, D)` scan tokens.
        slice_index: `(S,)` int64: slice of the volume (0 = head) that each input shows, or the middle of its slab.
        slice_ranges: `(S, 2)` int64: half-open range of slices of the volume that each input stands for.
        patches: Task to patch logits `(S, labels, grid, grid)`, for heads that score patches.
        config_hash: Digest of configuration and weights.
        validity: Domain verdict.
    """

    key: str
    scan: Floats
    slices: Floats
    tokens: Floats
    slice_index: NDArray[np.int64]
    slice_ranges: NDArray[np.int64]
    patches: Mapping[str, Floats]
    config_hash: str
    validity: Validity


@dataclass(frozen=True, eq=False)
class Arrays:
    """What is cached of a study; `inputs` are the statistics of its prepared form (`appearance`), empty where they were not kept."""

    scan: Floats
    slices: Floats
    tokens: Floats
    ranges: NDArray[np.int64]
    patches: Mapping[str, Floats] = field(default_factory=dict)
    inputs: Mapping[str, Floats] = field(default_factory=dict)


class EncodingCache:
    """Least recently used studies in memory and files by content hash on disk; safe for threads, one computation per key."""

    def __init__(self, folder: Path | None, in_memory: int = 32, on_disk: int = 2000) -> None:
        self.folder, self.in_memory, self.on_disk = folder, in_memory, on_disk
        self._items: OrderedDict[str, Arrays] = OrderedDict()
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Lock] = {}

    def __len__(self) -> int:
        return len(self._items)

    def known(self, key: str) -> bool:
        """Whether `key` needs no computation."""
        return key in self._items or (self.folder is not None and (self.folder / f"{key}.npz").is_file())

    def get(self, key: str, compute: Callable[[], Arrays]) -> Arrays:
        """The arrays of `key`, computed once however many threads ask."""
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
                return self._items[key]
            busy = self._busy.setdefault(key, threading.Lock())
        try:
            with busy:
                with self._lock:
                    known = self._items.get(key)
                if known is not None:
                    return known
                arrays = self._read(key)
                if arrays is None:
                    arrays = compute()
                    self._write(key, arrays)
                self._keep(key, arrays)
                return arrays
        finally:
            with self._lock:
                self._busy.pop(key, None)

    def _keep(self, key: str, arrays: Arrays) -> None:
        with self._lock:
            self._items[key] = arrays
            self._items.move_to_end(key)
            while len(self._items) > self.in_memory:
                self._items.popitem(last=False)

    def _read(self, key: str) -> Arrays | None:
        if self.folder is None:
            return None
        path = self.folder / f"{key}.npz"
        try:
            with np.load(path, allow_pickle=False) as archive:
                patches, inputs = ({n.removeprefix(p): archive[n] for n in archive.files if n.startswith(p)} for p in (_PATCHES, _INPUTS))
                arrays = Arrays(archive["scan"], archive["slices"], archive["tokens"], archive["ranges"], patches, inputs)
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            path.unlink(missing_ok=True)  # a damaged file is computed again
            return None
        return arrays

    def _write(self, key: str, arrays: Arrays) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=self.folder)
        with os.fdopen(handle, "wb") as file:
            named = {_PATCHES + name: array for name, array in arrays.patches.items()}
            named |= {_INPUTS + name: array for name, array in arrays.inputs.items()}
            np.savez(file, scan=arrays.scan, slices=arrays.slices, tokens=arrays.tokens, ranges=arrays.ranges, **named)  # type: ignore[arg-type]
        Path(name).replace(self.folder / f"{key}.npz")
        self._prune()

    def _prune(self) -> None:
        assert self.folder is not None
        with os.scandir(self.folder) as entries:
            names = [entry.path for entry in entries if entry.name.endswith(".npz")]
        if len(names) <= self.on_disk:
            return
        ages = []
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                ages.append((Path(name).stat().st_mtime, name))
        for _, name in sorted(ages)[: len(ages) - self.on_disk]:
            Path(name).unlink(missing_ok=True)
