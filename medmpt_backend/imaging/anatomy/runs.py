"""Connected parts of large masks by their runs along the rows: the same parts as `scipy.ndimage.label`, several times sooner."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Mask = NDArray[np.bool_]
Ints = NDArray[np.intp]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Parts:
    """Parts of a mask, numbered from 1 in the order of their first voxels.

    Attributes:
        shape: `(d, h, w)` of the mask.
        starts: First voxel of every run, counted through the whole array.
        ends: One past its last voxel.
        part: Number of the part that a run belongs to.
        count: Number of parts.
    """

    shape: tuple[int, int, int]
    starts: Ints
    ends: Ints
    part: Ints
    count: int

    @cached_property
    def sizes(self) -> Ints:
        """Voxels by number; 0 voxels for number 0, which is what lies outside the mask."""
        return self._summed(self.ends - self.starts)

    @cached_property
    def at_edge(self) -> Mask:
        """By number, whether a part reaches the edge of one of its slices."""
        _, rows, columns = self.shape
        row, first = np.divmod(self.starts, columns)
        row %= rows
        out = np.zeros(self.count + 1, dtype=bool)
        out[self.part[(row == 0) | (row == rows - 1) | (first == 0) | (first + self.ends - self.starts == columns)]] = True
        return out

    def where(self, keep: Mask) -> Mask:
        """The mask of those parts that `keep` names by number."""
        return self.valued(keep)

    def valued(self, values: NDArray[T]) -> NDArray[T]:
        """An array with a value per part; the value of number 0 is not asked for, 0 stands outside the mask."""
        return self._painted(values[self.part], self.shape[:2])

    @cached_property
    def largest(self) -> int:
        """Number of the largest part."""
        return int(np.argmax(self.sizes))

    def every(self, step: int) -> NDArray[np.int32]:
        """Numbers at every `step`-th row and column of all slices; 0 outside the mask."""
        depth, rows, columns = self.shape
        row = self.starts // columns
        if step > 1:
            some = row % rows % step == 0
            fewer = -(-rows // step)
            row = row[some]
            moved = (row // rows * fewer + row % rows // step - row) * columns
            chosen = Parts((depth, fewer, columns), self.starts[some] + moved, self.ends[some] + moved, self.part[some], self.count)
            return np.ascontiguousarray(chosen.every(1)[:, :, ::step])
        return self._painted(self.part.astype(np.int32), (depth, rows))

    def _summed(self, weights: Ints) -> Ints:
        return np.bincount(self.part, weights=weights, minlength=self.count + 1).astype(np.intp)

    def _painted(self, values: NDArray[T], rows: tuple[int, int]) -> NDArray[T]:
        """An array with a value per run, and zero between the runs."""
        size = rows[0] * rows[1] * self.shape[2]
        row = np.zeros(2 * len(values) + 1, dtype=values.dtype)
        row[1::2] = values
        ends = np.empty(2 * len(values) + 1, dtype=np.intp)
        ends[0:-1:2], ends[1::2], ends[-1] = self.starts, self.ends, size
        return np.repeat(row, np.diff(ends, prepend=0)).reshape(*rows, self.shape[2])


def parts_of(mask: Mask, *, planar: bool = False) -> Parts:
    """Parts of a mask that touch along rows, columns or slices.

    Args:
        mask: `(d, h, w)` bool.
        planar: Whether slices are apart from each other.
    """
    depth, rows, columns = mask.shape
    padded = np.zeros((depth * rows, columns + 1), dtype=np.int8)
    padded[:, :columns] = mask.reshape(depth * rows, columns)
    flat = padded.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if flat[0]:
        changes = np.concatenate([np.zeros(1, dtype=np.intp), changes])
    starts, ends = changes[0::2], changes[1::2]
    row = starts // (columns + 1)
    touching = [_touching(starts, ends, row % rows != rows - 1, columns + 1)]
    if not planar:
        touching.append(_touching(starts, ends, row < (depth - 1) * rows, rows * (columns + 1)))
    count, part = connected_components(_graph(len(starts), touching), directed=False) if len(starts) else (0, np.zeros(0, dtype=np.intp))
    return Parts((depth, rows, columns), starts - row, ends - row, part.astype(np.intp) + 1, int(count))


def _touching(starts: Ints, ends: Ints, ahead: Mask, by: int) -> tuple[Ints, Ints]:
    """How many runs share a voxel with each run `by` voxels ahead of it, and which; `ahead`: which runs may have one."""
    first = np.flatnonzero(ahead)
    low = np.searchsorted(ends, starts[first] + by, side="right")
    high = np.searchsorted(starts, ends[first] + by, side="left")
    counts = np.maximum(high - low, 0)
    others = np.arange(int(counts.sum())) + np.repeat(low - (np.cumsum(counts) - counts), counts)
    every = np.zeros(len(starts), dtype=np.intp)
    every[first] = counts
    return every, others


def _graph(count: int, touching: list[tuple[Ints, Ints]]) -> csr_array:
    """Runs as nodes, joined where they touch."""
    total = sum(counts for counts, _ in touching)
    indptr = np.zeros(count + 1, dtype=np.int32)
    np.cumsum(total, out=indptr[1:])
    indices = np.empty(int(indptr[-1]), dtype=np.int32)
    place = indptr[:-1].astype(np.intp)
    for counts, others in touching:
        indices[np.arange(len(others)) + np.repeat(place - (np.cumsum(counts) - counts), counts)] = others
        place = place + counts
    return csr_array((np.ones(len(indices)), indices, indptr), shape=(count, count))
