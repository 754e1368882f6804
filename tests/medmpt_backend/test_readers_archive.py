"""A zip stays inside its folder and inside its bounds."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.readers import archive
from tests.medmpt_backend.ct_files import noise_body, write_series


def _zip(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in entries.items():
            bundle.writestr(name, data)
    return path


def test_a_zipped_series_is_read(tmp_path: Path) -> None:
    hu = noise_body()
    files = write_series(tmp_path / "in", hu)
    entries = {f"study/série {k % 3}/{file.name}": file.read_bytes() for k, file in enumerate(files)} | {"__MACOSX/._x": b"junk"}
    assert np.array_equal(load_volume(_zip(tmp_path / "s.zip", entries)).hu, hu)


@pytest.mark.parametrize("name", ["../evil.dcm", "/etc/evil", "a/../../evil", "C:\\evil", "..\\evil"])
def test_a_path_that_leaves_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    outside = set(tmp_path.rglob("*"))
    path = _zip(tmp_path / "s.zip", {name: b"x"})
    with pytest.raises(BadInput, match="leaves the archive"):
        load_volume(path)
    assert set(tmp_path.rglob("*")) == outside | {path}


def test_bombs_and_crowds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="decompression bomb"):
        load_volume(_zip(tmp_path / "bomb.zip", {"a.dcm": bytes(40 * 1024**2)}))
    monkeypatch.setattr(archive, "MAX_ENTRIES", 3)
    with pytest.raises(BadInput, match="4 files, more than 3"):
        load_volume(_zip(tmp_path / "crowd.zip", {f"{k}": b"x" for k in range(4)}))
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(BadInput, match="unpacks to"):
        load_volume(_zip(tmp_path / "big.zip", {"a": bytes(np.random.default_rng(0).bytes(5000))}))


def test_a_directory_that_lies_about_its_size_is_stopped_while_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _zip(tmp_path / "liar.zip", {"a": bytes(5000)})
    raw = path.read_bytes()
    at = raw.index(b"PK\x01\x02") + 24
    path.write_bytes(raw[:at] + (10).to_bytes(4, "little") + raw[at + 4 :])
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(BadInput, match="unpack"):
        load_volume(path)


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    path = _zip(tmp_path / "s.zip", {"a": b"x" * 5000})
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(BadInput, match=r"'s\.zip' is not a readable zip"):
        load_volume(path)
