"""Which versions made an answer: the code, the data that ships, the packages that matter, the weights."""

import hashlib
import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

_ROOMS = ("agent", "tools", "retrieval", "medmpt_backend")
_DATA = (".toml", ".tsv", ".csv", ".jsonl", ".json", ".npz")


def versions(weights: str | None) -> dict[str, str]:
    """Versions by name; `weights` as the settings name them."""
    code, data = _fingerprints()
    return {"medmpt": _version("medmpt-assistant"), "code": code, "data": data, "python": platform.python_version()} | (
        {"weights": weights} if weights else {}
    )


@lru_cache(maxsize=1)
def _fingerprints() -> tuple[str, str]:
    """Digests of the code and of the data in the packages: the version number alone does not change with a row."""
    code, data = hashlib.sha256(), hashlib.sha256()
    for room in _ROOMS:
        folder = Path(str(files(room)))
        for path in sorted(p for p in folder.rglob("*") if p.suffix == ".py" or p.suffix in _DATA):
            (code if path.suffix == ".py" else data).update(f"{room}/{path.relative_to(folder)}".encode() + path.read_bytes())
    return code.hexdigest()[:16], data.hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
