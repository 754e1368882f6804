"""An append-only log in the thread database, each entry chained to the one before by its hash.

The chain holds the salted digest of a body, not the body: a conversation that is erased loses its bodies and salts, the chain stays whole,
and a later entry of kind `erase` names what was taken out. A changed, removed or inserted entry breaks the chain. Entries cut off at
the end break nothing: note the head's hash elsewhere and give it to `verify` (`medmpt data verify-ledger --expect`).
"""

import hashlib
import json
import secrets
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from agent.errors import StoreFailure
from agent.sessions.store import Store

Kind = Literal["turn", "tool", "sign", "erase"]
Body = dict[str, Any]
_FIRST = "0" * 64
_TRIES = 8
_COLUMNS = "seq, thread, kind, at, salt, body, digest, prev, hash"


@dataclass(frozen=True)
class Entry:
    """One entry; `body` is None once its conversation was erased.

    Attributes:
        seq: Its place, from 1.
        thread: Whose conversation it belongs to; None where none or erased.
        kind: A finished turn, a tool call of a foreign agent, a signed report, or an erasure.
        at: When it was written, UTC.
        digest: Salted digest of the body.
        prev: Hash of the entry before.
        hash: Over all of these but the thread.
        body: What is recorded.
        intact: Whether the body still has the digest.
    """

    seq: int
    thread: str | None
    kind: str
    at: str
    digest: str
    prev: str
    hash: str
    body: Body | None
    intact: bool


@dataclass(frozen=True)
class Fault:
    """What is wrong with one entry."""

    seq: int
    what: str


class Chain:
    """The log."""

    def __init__(self, store: Store) -> None:
        """Rows live in `store`."""
        self._store = store

    def append(self, kind: Kind, body: Body, thread: str | None = None) -> Entry:
        """Write an entry after the last one; another writer's entry in between is waited out.

        Raises:
            StoreFailure: Too many writers at once.
        """
        packed, salt = zlib.compress(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), 9), secrets.token_bytes(16)
        digest, at = _digest(salt, packed), datetime.now(UTC).isoformat(timespec="seconds")
        for _ in range(_TRIES):
            last = self._store.rows("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
            seq, prev = (int(last[0][0]) + 1, str(last[0][1])) if last else (1, _FIRST)
            made = _hash(seq, kind, at, digest, prev)
            insert = f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (seq) DO NOTHING"
            self._store.write((insert, [(seq, thread, kind, at, salt, packed, digest, prev, made)]))
            if self._store.rows("SELECT hash FROM audit WHERE seq = ?", (seq,))[0][0] == made:
                return Entry(seq, thread, kind, at, digest, prev, made, body, True)
        raise StoreFailure("the ledger is written by too many programs at once: try again")

    def entries(self, thread: str | None = None) -> Iterator[Entry]:
        """Entries in order; of one conversation, or all."""
        where, values = ("", ()) if thread is None else (" WHERE thread = ?", (thread,))
        for row in self._store.rows(f"SELECT {_COLUMNS} FROM audit{where} ORDER BY seq", values):
            yield _read(row)

    def forget(self, threads: list[str] | None) -> int:
        """Take the bodies of conversations out (all for None), and say so in a new entry; how many were."""
        if threads is None:
            rows = self._store.rows("SELECT seq FROM audit WHERE body IS NOT NULL AND kind <> 'erase'")
        else:
            rows = [r for t in threads for r in self._store.rows("SELECT seq FROM audit WHERE thread = ? AND body IS NOT NULL", (t,))]
        gone = sorted(int(r[0]) for r in rows)
        if gone:
            self._store.write(("UPDATE audit SET thread = NULL, salt = NULL, body = NULL WHERE seq = ?", [(s,) for s in gone]))
            self.append("erase", {"erased": gone})
        return len(gone)

    def verify(self) -> tuple[list[Fault], int, str]:
        """What is wrong with the chain, how many entries it has, and the hash of its head."""
        faults: list[Fault] = []
        prev, expected, silent, erased = _FIRST, 1, [], set()
        for entry in self.entries():
            if entry.seq != expected:
                faults.append(Fault(entry.seq, f"entries {expected} to {entry.seq - 1} are missing"))
            if entry.prev != prev:
                faults.append(Fault(entry.seq, "does not follow the entry before it"))
            if entry.hash != _hash(entry.seq, entry.kind, entry.at, entry.digest, entry.prev):
                faults.append(Fault(entry.seq, "its hash is not that of its fields"))
            if entry.body is None and entry.intact:
                silent.append(entry.seq)
            elif not entry.intact:
                faults.append(Fault(entry.seq, "its content was changed"))
            elif entry.kind == "erase" and entry.body is not None:
                erased |= set(entry.body["erased"])
            prev, expected = entry.hash, entry.seq + 1
        faults += [Fault(s, "its content is gone and no later entry says that it was erased") for s in silent if s not in erased]
        return sorted(faults, key=lambda f: f.seq), expected - 1, prev


def _read(row: Any) -> Entry:
    seq, thread, kind, at, salt, packed, digest, prev, made = row
    if packed is None and salt is None:
        return Entry(int(seq), thread, kind, at, digest, prev, made, None, True)
    held = salt is not None and packed is not None and _digest(bytes(salt), bytes(packed)) == digest
    return Entry(int(seq), thread, kind, at, digest, prev, made, json.loads(zlib.decompress(bytes(packed))) if held else None, held)


def _digest(salt: bytes, packed: bytes) -> str:
    return hashlib.sha256(salt + packed).hexdigest()


def _hash(seq: int, kind: str, at: str, digest: str, prev: str) -> str:
    return hashlib.sha256("|".join((str(seq), kind, at, digest, prev)).encode()).hexdigest()
