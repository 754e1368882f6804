"""What brings a tab of the page back on another worker: the open case, its files, the conversations, in the shared database.

Only where several workers share one (`MEDMPT_THREADS_URL`); a single worker keeps this in its own folder.
"""

import time
from collections.abc import Iterable
from pathlib import Path

from agent.sessions.handles import digest
from agent.sessions.shared import Parcels, dropping
from agent.sessions.store import Store

_KEPT_SECONDS = 12 * 3600.0


class PageStates:
    """One row for each tab, under a digest of its session; a row that was not renewed for twelve hours is gone."""

    def __init__(self, store: Store) -> None:
        """Rows live in `store`."""
        self._store = store
        self._parcels = Parcels(store)

    def keep(self, session: str, state: str) -> None:
        """Put `state` in place of what is kept of the session, and drop what is too old of anybody's.

        Raises:
            StoreFailure: The database cannot be used.
        """
        now = time.time()
        row = "INSERT INTO page (session, at, state) VALUES (?, ?, ?)"
        renewed = f"{row} ON CONFLICT (session) DO UPDATE SET at = excluded.at, state = excluded.state"
        try:
            old = ("DELETE FROM page WHERE at < ?", [(now - _KEPT_SECONDS,)])
            self._store.write(old, (renewed, [(digest(session), now, state)]), dropping())
        except self._store.errors as failure:
            raise self._store.failure(failure) from failure

    def of(self, session: str) -> str | None:
        """What is kept of the session, whichever worker wrote it; None for nothing.

        Raises:
            StoreFailure: The database cannot be used.
        """
        query = "SELECT state FROM page WHERE session = ? AND at >= ?"
        try:
            rows = self._store.rows(query, (digest(session), time.time() - _KEPT_SECONDS))
        except self._store.errors as failure:
            raise self._store.failure(failure) from failure
        return str(rows[0][0]) if rows else None

    def keep_files(self, session: str, name: str, path: Path) -> None:
        """Keep what a tab has opened from files, under its place in the tab's folder, as long as its state is kept.

        Raises:
            StoreFailure: The database cannot be used.
        """
        self._parcels.keep(session, name, path)

    def bring_files(self, session: str, name: str, path: Path) -> bool:
        """Put what was kept under `name` at `path`; False when there is nothing.

        Raises:
            StoreFailure: The database cannot be used.
        """
        return self._parcels.bring(session, name, path)

    def forget(self, threads: Iterable[str]) -> None:
        """Drop every state that names one of `threads` (it holds the words that they began with) and the files of its tab."""
        self._store.write(("DELETE FROM page WHERE state LIKE ?", [(f"%{thread}%",) for thread in threads]), dropping())
