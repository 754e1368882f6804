"""Local accounts: names and argon2id hashes in one file, readable by its owner only."""

import json
import os
import re
import secrets
import threading
from pathlib import Path

from agent.errors import BadInput, StoreFailure
from ui.login.extra import need

FILE = "accounts.json"
SHORTEST = 10
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


class Accounts:
    """Who may log in. The file is read anew for each question: another process may have changed it."""

    def __init__(self, data_dir: Path) -> None:
        """`data_dir`: where the file lies; made at the first account."""
        self._path = data_dir / FILE
        self._lock = threading.Lock()
        self._hasher = need("argon2").PasswordHasher()
        # Checked for names that do not exist, so that they take as long as those that do.
        self._nobody: str = self._hasher.hash(secrets.token_urlsafe(16))

    def names(self) -> tuple[str, ...]:
        """All account names."""
        return tuple(sorted(self._read()))

    def put(self, name: str, password: str) -> None:
        """Add an account, or change its password.

        Raises:
            BadInput: A name of other characters, or a short password.
            StoreFailure: The file cannot be written.
        """
        if _NAME.fullmatch(name) is None:
            raise BadInput(f"{name!r}: a name has up to 32 of a-z, 0-9, dot, dash and underscore")
        if len(password) < SHORTEST:
            raise BadInput(f"the password has {len(password)} characters, fewer than {SHORTEST}")
        with self._lock:
            self._write({**self._read(), name: self._hasher.hash(password)})

    def remove(self, name: str) -> None:
        """Delete an account.

        Raises:
            BadInput: No such account.
        """
        with self._lock:
            held = self._read()
            if name not in held:
                raise BadInput(f"there is no account {name!r}; there are: {', '.join(sorted(held)) or 'none'}")
            self._write({k: v for k, v in held.items() if k != name})

    def right(self, name: str, password: str) -> bool:
        """Whether the password is that of the account; as slow for a name that does not exist."""
        exceptions = need("argon2.exceptions")
        kept = self._read().get(name)
        try:
            self._hasher.verify(kept or self._nobody, password)
        except (exceptions.VerificationError, exceptions.InvalidHashError):
            return False
        return kept is not None

    def _read(self) -> dict[str, str]:
        try:
            held = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as failure:
            raise StoreFailure(f"{self._path.name} cannot be read ({failure}): mend or remove it") from failure
        return {str(k): str(v) for k, v in held.items()}

    def _write(self, held: dict[str, str]) -> None:
        draft = self._path.with_name(f"{FILE}.{secrets.token_hex(4)}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
                json.dump(held, file, indent=1)
            draft.replace(self._path)
        except OSError as failure:
            raise StoreFailure(f"{self._path.name} cannot be written ({failure})") from failure
