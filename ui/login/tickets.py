"""Who is logged in: an unguessable ticket per login, kept in this process or in the shared database, and how often a name failed."""

import hashlib
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass

from agent.sessions.shared import SharedRows

HOURS = 12.0
# How long a worker believes what the shared database said of a login: one that ended at another worker ends here so much later.
_BELIEVED_SECONDS = 5.0
# Failures of one name or address before it has to wait, and how long; own convention.
MOST_FAILURES, WAIT_SECONDS = 5, 60.0


@dataclass(frozen=True)
class _Ticket:
    user: str
    until: float


class Tickets:
    """Logins of this process."""

    def __init__(self) -> None:
        """Start with none."""
        self._held: dict[str, _Ticket] = {}
        self._lock = threading.Lock()

    def give(self, user: str) -> str:
        """A fresh ticket of a user."""
        ticket, now = secrets.token_urlsafe(32), time.monotonic()
        with self._lock:
            self._held = {k: t for k, t in self._held.items() if t.until > now}
            self._held[_digest(ticket)] = _Ticket(user, now + HOURS * 3600)
        return ticket

    def user(self, ticket: str | None) -> str | None:
        """Whose ticket it is; None for none, an unknown or an old one."""
        held = self._held.get(_digest(ticket)) if ticket else None
        return held.user if held is not None and held.until > time.monotonic() else None

    def end(self, ticket: str | None) -> None:
        """Log out."""
        with self._lock:
            self._held.pop(_digest(ticket or ""), None)


class SharedTickets(Tickets):
    """Logins of all workers of one database; digests only, so that who reads the table is not logged in."""

    def __init__(self, rows: SharedRows) -> None:
        """`rows`: the shared database."""
        super().__init__()
        self._rows = rows

    def give(self, user: str) -> str:
        """A fresh ticket of a user; what is too old of anybody's goes."""
        ticket, now = secrets.token_urlsafe(32), time.time()
        kept = ("INSERT INTO login (ticket, name, until) VALUES (?, ?, ?)", [(_digest(ticket), user, now + HOURS * 3600)])
        self._rows.write(("DELETE FROM login WHERE until < ?", [(now,)]), kept)
        return ticket

    def user(self, ticket: str | None) -> str | None:
        """Whose ticket it is; asked of the database once in a few seconds."""
        known = super().user(ticket)
        if known is not None or not ticket:
            return known
        rows = self._rows.rows("SELECT name FROM login WHERE ticket = ? AND until >= ?", (_digest(ticket), time.time()))
        if not rows:
            return None
        with self._lock:
            now = time.monotonic()
            self._held = {k: t for k, t in self._held.items() if t.until > now}
            self._held[_digest(ticket)] = _Ticket(str(rows[0][0]), now + _BELIEVED_SECONDS)
        return str(rows[0][0])

    def end(self, ticket: str | None) -> None:
        """Log out, everywhere."""
        super().end(ticket)
        self._rows.write(("DELETE FROM login WHERE ticket = ?", [(_digest(ticket or ""),)]))


class Failures:
    """Slows guessing down: a name or an address that failed too often waits."""

    def __init__(self) -> None:
        """Start with none."""
        self._times: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait(self, *who: str) -> float:
        """Seconds that these have to wait; 0 when they may try."""
        now = time.monotonic()
        with self._lock:
            waits = [t[0] + WAIT_SECONDS - now for w in who if len(t := self._times.get(w, deque())) >= MOST_FAILURES]
        return max([0.0, *waits])

    def failed(self, *who: str) -> None:
        """Count one failure of each."""
        now = time.monotonic()
        with self._lock:
            self._times = {w: t for w, t in self._times.items() if t and now - t[-1] < WAIT_SECONDS}
            for w in who:
                self._times.setdefault(w, deque(maxlen=MOST_FAILURES)).append(now)

    def forget(self, *who: str) -> None:
        """These succeeded."""
        with self._lock:
            for w in who:
                self._times.pop(w, None)


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
