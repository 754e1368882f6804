"""Which database of conversations the settings name."""

from collections.abc import Iterator
from contextlib import contextmanager

from agent.errors import StoreFailure, Unavailable
from agent.sessions.shared import SharedRows
from agent.sessions.sqlite_store import SqliteStore
from agent.sessions.store import Store
from agent.settings import Settings


def open_store(settings: Settings) -> Store:
    """The store of the settings; with it the data folder is there, which `/readyz` asks for.

    Raises:
        StoreFailure: It cannot be used.
        Unavailable: A Postgres address without the package for it.
    """
    if settings.threads_url is None:
        return SqliteStore(settings.data_dir / "threads.sqlite")
    try:
        from agent.sessions.postgres_store import PostgresStore
    except ImportError as missing:
        raise Unavailable("conversations in Postgres need its extra: pip install 'medmpt-assistant[postgres]'") from missing
    store = PostgresStore(settings.threads_url)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as failure:
        store.close()
        raise StoreFailure(f"the data folder {settings.data_dir} cannot be made ({failure.strerror})") from failure
    return store


@contextmanager
def shared_rows(settings: Settings) -> Iterator[SharedRows | None]:
    """Rows of the database that several workers share, for the time of the block; None where the settings name none.

    Raises:
        StoreFailure: It cannot be used.
        Unavailable: A Postgres address without the package for it.
    """
    if settings.threads_url is None:
        yield None
        return
    store = open_store(settings)
    try:
        yield SharedRows(store)
    finally:
        store.close()


def reachable(threads_url: str) -> bool:
    """Whether the Postgres server answers within two seconds."""
    try:
        import psycopg
    except ImportError:
        return False
    try:
        with psycopg.connect(threads_url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True
