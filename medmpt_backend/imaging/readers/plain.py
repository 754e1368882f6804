"""NRRD and MetaImage files, by readers of their text headers; raw, gzip and zlib data, one 3-D scalar volume in LPS or RAS."""

import hashlib
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.readers import geometry, hounsfield
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

_SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")
_MAX_BYTES = 4 * geometry.MAX_VOXELS
_TYPES = {
    "met_char": "i1", "met_uchar": "u1", "met_short": "i2", "met_ushort": "u2", "met_int": "i4", "met_uint": "u4", "met_float": "f4",
    "met_double": "f8", "signed char": "i1", "int8": "i1", "int8_t": "i1", "uchar": "u1", "unsigned char": "u1", "uint8": "u1",
    "uint8_t": "u1", "short": "i2", "short int": "i2", "signed short": "i2", "int16": "i2", "int16_t": "i2", "ushort": "u2",
    "unsigned short": "u2", "uint16": "u2", "uint16_t": "u2", "int": "i4", "signed int": "i4", "int32": "i4", "int32_t": "i4",
    "uint": "u4", "unsigned int": "u4", "uint32": "u4", "uint32_t": "u4", "float": "f4", "double": "f8",
}  # fmt: skip
# Signs that turn a space into LPS.
_SPACES = {"left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1), "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1)}


@dataclass(frozen=True)
class _Header:
    """What both formats say: array axes fastest first."""

    sizes: tuple[int, int, int]
    kind: np.dtype[np.generic]
    axes: NDArray[np.float64]
    encoding: str
    data: Path | None
    skip: int
    position: int


def is_plain(path: Path) -> bool:
    """Whether the name says NRRD or MetaImage."""
    return path.name.lower().endswith(_SUFFIXES)


def read_plain(path: Path) -> Volume:
    """Read a 3-D NRRD or MetaImage CT.

    Args:
        path: `.nrrd`, `.nhdr`, `.mha` or `.mhd`.

    Returns:
        HU, LPS, head first. Kernel, contrast and thickness are unknown.

    Raises:
        BadInput: Damaged, not 3-D, without orientation, oblique, or not HU.
    """
    try:
        raw = path.read_bytes() if path.stat().st_size <= _MAX_BYTES else b""
        header = _nrrd(raw, path) if path.suffix.lower() in (".nrrd", ".nhdr") else _meta(raw, path)
        geometry.require_size(header.sizes[2], header.sizes[1], header.sizes[0])
        values = _values(raw, header)
    except (OSError, EOFError, ValueError, KeyError, IndexError, zlib.error) as error:
        raise BadInput(
            message(
                "{file!r} is damaged, or of a kind that is not read here ({kind}); give NIfTI", file=path.name, kind=type(error).__name__
            )
        ) from error
    lengths = np.linalg.norm(header.axes, axis=1)
    if np.any(lengths < 1e-3) or not np.all(np.isfinite(lengths)):
        raise BadInput(message("{file!r} has no usable voxel size; export it again", file=path.name))
    hu = np.stack([hounsfield.to_int16(plane, 1.0, 0.0) for plane in values])
    directions = (header.axes / lengths[:, None])[::-1]
    hu, spacing, angle = geometry.to_lps(hu, directions, (float(lengths[2]), float(lengths[1]), float(lengths[0])))
    hounsfield.require_hounsfield(hu, declared=False)
    said = (f"the axes are rotated by {angle:.1f} degrees against the body axes; read as if straight",) if angle > 1.0 else ()
    return Volume(hu, spacing, SeriesInfo(uid_hash=hashlib.sha256(hu.tobytes()).hexdigest()[:16]), said)


def _values(raw: bytes, header: _Header) -> NDArray[np.generic]:
    """Voxels `(z, y, x)`; what unpacks to more than the header says is not read."""
    data = header.data.read_bytes() if header.data else raw[header.position :]
    count = int(np.prod(header.sizes)) * header.kind.itemsize
    if header.encoding in ("gzip", "gz"):
        data = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(data, count)
    elif header.encoding == "zlib":
        data = zlib.decompressobj().decompress(data, count)
    elif header.encoding != "raw":
        raise ValueError(header.encoding)
    elif header.skip == -1:
        data = data[-count:]
    elif header.skip:
        data = data[header.skip :]
    return np.frombuffer(data[:count], header.kind).reshape(header.sizes[::-1])


def _nrrd(raw: bytes, path: Path) -> _Header:
    """The header of a NRRD file."""
    end = re.search(rb"\r?\n\r?\n", raw)
    lines = raw[: end.start() if end else len(raw)].decode("ascii", "replace").splitlines()
    if not lines or not lines[0].startswith("NRRD"):
        raise ValueError("no NRRD")
    fields = dict(re.split(r":=?\s*", line, maxsplit=1) for line in lines[1:] if ":" in line and not line.startswith("#"))
    fields = {key.strip().lower(): value.strip() for key, value in fields.items()}
    sizes = tuple(int(n) for n in fields["sizes"].split())
    if len(sizes) != 3:
        raise BadInput(
            message(
                "{file!r} has {count} dimensions {sizes}; give one 3-D volume (one phase, one time point)",
                file=path.name,
                count=len(sizes),
                sizes=sizes,
            )
        )
    signs = _SPACES.get(fields.get("space", "").lower())
    vectors = re.findall(r"\(([^)]*)\)", fields.get("space directions", ""))
    if signs is None or len(vectors) != 3:
        raise BadInput(
            message("{file!r} has no orientation (space, space directions): left and right are unknown; export it again", file=path.name)
        )
    axes = np.array([[float(v) for v in vector.split(",")] for vector in vectors]) * np.array(signs)
    order = ">" if fields.get("endian", "little") == "big" else "<"
    other = fields.get("data file") or fields.get("datafile")
    return _Header(
        (sizes[0], sizes[1], sizes[2]), np.dtype(order + _TYPES[fields["type"].lower()]), axes, fields["encoding"].lower(),
        _beside(path, other), int(fields.get("byte skip", 0)), end.end() if end else 0,
    )  # fmt: skip


def _meta(raw: bytes, path: Path) -> _Header:
    """The header of a MetaImage file."""
    mark = re.search(rb"ElementDataFile\s*=\s*([^\r\n]*)\r?\n?", raw)
    if mark is None:
        raise ValueError("no ElementDataFile")
    text = raw[: mark.start()].decode("ascii", "replace")
    fields = {key.strip().lower(): value.strip() for key, _, value in (line.partition("=") for line in text.splitlines())}
    sizes = tuple(int(n) for n in fields["dimsize"].split())
    if len(sizes) != 3 or fields.get("elementnumberofchannels", "1") != "1":
        raise BadInput(
            message("{file!r} has {count} dimensions {sizes}; give one 3-D scalar volume", file=path.name, count=len(sizes), sizes=sizes)
        )
    matrix = np.array([float(v) for v in fields.get("transformmatrix", fields.get("rotation", "1 0 0 0 1 0 0 0 1")).split()]).reshape(3, 3)
    spacing = [float(v) for v in fields.get("elementspacing", fields.get("elementsize", "0 0 0")).split()]
    big = fields.get("binarydatabyteordermsb", fields.get("elementbyteordermsb", "false")).lower() == "true"
    packed = fields.get("compresseddata", "false").lower() == "true"
    name = mark[1].decode("ascii", "replace").strip()
    return _Header(
        (sizes[0], sizes[1], sizes[2]), np.dtype((">" if big else "<") + _TYPES[fields["elementtype"].lower()]),
        matrix * np.array(spacing)[:, None], "zlib" if packed else "raw", None if name == "LOCAL" else _beside(path, name),
        int(fields.get("headersize", 0)), mark.end(),
    )  # fmt: skip


def _beside(path: Path, name: str | None) -> Path | None:
    """A data file in the same folder; other places are not read."""
    if not name:
        return None
    if Path(name).name != name or (path.parent / name).is_symlink():
        raise BadInput(message("{file!r} names its data outside its folder; put both files together", file=path.name))
    return path.parent / name
