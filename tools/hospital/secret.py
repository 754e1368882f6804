"""The secret of this installation that seeds de-identification."""

import os
import secrets
from pathlib import Path

_NAME = "deidentification.key"
_BYTES = 32


def secret_of(data_dir: Path) -> bytes:
    """The secret, made at the first call; readable by its owner only.

    Raises:
        OSError: The data folder cannot be written.
    """
    path = data_dir / _NAME
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{_NAME}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
        try:
            os.link(draft, path)  # whoever comes first wins; nobody reads half a secret
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
