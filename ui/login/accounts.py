"""Local accounts: names and argon2id hashes, in one file readable by its owner only, or in the database that several workers share."""

import json
import os
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import BadInput, StoreFailure
from agent.sessions.opening import shared_rows
from agent.sessions.shared import SharedRows
from agent.settings import Settings
from ui.login.extra import need

FILE = "accounts.json"
SHORTEST = 10
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


@contextmanager
def accounts_of(settings: Settings) -> Iterator["Accounts"]:
    """Those of the settings, for the time of the block."""
    with shared_rows(settings) as rows:
        file, found = settings.data_dir / FILE, Accounts(rows if rows is not None else settings.data_dir)
        if rows is not None and file.exists() and not found.names():
            # Made before the database was named: they go in once, so that one removed there does not come back.
            for name, kept in _File(file).read().items():
                _Table(rows).put(name, kept)
            file.rename(file.with_name(f"{FILE}.moved"))
        yield found


class Accounts:
    """Who may log in. They are read anew for each question: another process may have changed them."""

    def __init__(self, place: Path | SharedRows) -> None:
        """`place`: the folder where the file lies, made at the first account, or the shared database."""
        self._kept = _Table(place) if isinstance(place, SharedRows) else _File(place / FILE)
        self._lock = threading.Lock()
        self._hasher = need("argon2").PasswordHasher()
        # Checked for names that do not exist, so that they take as long as those that do.
        self._nobody: str = self._hasher.hash(secrets.token_urlsafe(16))

    def names(self) -> tuple[str, ...]:
        """All account names."""
        return tuple(sorted(self._kept.read()))

    def put(self, name: str, password: str) -> None:
        """Add an account, or change its password.

        Raises:
            BadInput: A name of other characters, or a short password.
            StoreFailure: The file cannot be written.
            ToolsError: The database cannot be used.
        """
        if _NAME.fullmatch(name) is None:
            raise BadInput(f"{name!r}: a name has up to 32 of a-z, 0-9, dot, dash and underscore")
        if len(password) < SHORTEST:
            raise BadInput(f"the password has {len(password)} characters, fewer than {SHORTEST}")
        with self._lock:
            self._kept.put(name, self._hasher.hash(password))

    def remove(self, name: str) -> None:
        """Delete an account.

        Raises:
            BadInput: No such account.
        """
        with self._lock:
            held = self._kept.read()
            if name not in held:
                raise BadInput(f"there is no account {name!r}; there are: {', '.join(sorted(held)) or 'none'}")
            self._kept.drop(name)

    def right(self, name: str, password: str) -> bool:
        """Whether the password is that of the account; as slow for a name that does not exist."""
        exceptions = need("argon2.exceptions")
        kept = self._kept.read().get(name)
        try:
            self._hasher.verify(kept or self._nobody, password)
        except (exceptions.VerificationError, exceptions.InvalidHashError):
            return False
        return kept is not None


class _File:
    """One JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, name: str, kept: str) -> None:
        """Add or change."""
        self._write({**self.read(), name: kept})

    def drop(self, name: str) -> None:
        """Take away."""
        self._write({k: v for k, v in self.read().items() if k != name})

    def read(self) -> dict[str, str]:
        """Hashes by name."""
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


class _Table:
    """The table `account` of the shared database."""

    def __init__(self, rows: SharedRows) -> None:
        self._rows = rows

    def read(self) -> dict[str, str]:
        """Hashes by name."""
        return {str(name): str(kept) for name, kept in self._rows.rows("SELECT name, hash FROM account")}

    def put(self, name: str, kept: str) -> None:
        """Add or change; a changed password ends the logins of its user."""
        renewed = "INSERT INTO account (name, hash) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET hash = excluded.hash"
        self._rows.write((renewed, [(name, kept)]), ("DELETE FROM login WHERE name = ?", [(name,)]))

    def drop(self, name: str) -> None:
        """Take away, and end the logins of the user."""
        self._rows.write(("DELETE FROM account WHERE name = ?", [(name,)]), ("DELETE FROM login WHERE name = ?", [(name,)]))
