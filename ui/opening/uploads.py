"""Uploaded files leave Gradio's folder at once: they move into the session's private folder and Gradio's copy is gone."""

import os
import re
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path


def take(paths: Sequence[str | Path], folder: Path) -> Path:
    """Move uploaded files into a fresh private folder.

    Args:
        paths: Files as Gradio stored them, each in its own folder.
        folder: The session's private folder.

    Returns:
        The moved file, or for several files (loose DICOM slices) the folder that holds them.
    """
    target = folder / f"upload-{secrets.token_hex(8)}"
    target.mkdir(mode=0o700)
    moved = []
    for number, path in enumerate(Path(p) for p in paths):
        safe = re.sub(r"[^A-Za-z0-9._-]", "_", path.name).lstrip(".") or "file"
        place = target / (safe if len(paths) == 1 else f"{number:05d}-{safe}")
        shutil.move(path, place)
        os.chmod(place, 0o600)
        _remove_if_empty(path.parent)
        sweep(path.parent.parent)
        moved.append(place)
    return moved[0] if len(moved) == 1 else target


def sweep(inbox: Path) -> None:
    """Remove the empty placeholder files that Gradio makes beside an upload."""
    for file in inbox.glob("tmp*"):
        if file.is_file() and file.stat().st_size == 0:
            file.unlink(missing_ok=True)


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
