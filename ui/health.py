"""`/healthz` (the process answers) and `/readyz` (it can serve a question): for a supervisor, without a session and without details."""

import os
import sqlite3
import urllib.request
from contextlib import closing
from pathlib import Path

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from agent.sessions.opening import reachable
from agent.settings import Settings


def add_routes(router: APIRouter, settings: Settings) -> None:
    """Add both routes."""

    @router.get("/healthz")
    async def alive() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @router.get("/readyz")
    async def ready() -> JSONResponse:
        failing = await run_in_threadpool(not_ready, settings)
        return JSONResponse({"status": "unavailable" if failing else "ok", "failing": failing}, status_code=503 if failing else 200)


def not_ready(settings: Settings) -> list[str]:
    """Names of the parts that stop this installation from answering: `data_dir`, `threads`, `index`, `chroma`."""
    data_dir, cache_dir, failing = settings.data_dir, settings.cache_dir, []
    if not data_dir.is_dir() or not os.access(data_dir, os.W_OK):
        failing.append("data_dir")
    else:
        for database in sorted(data_dir.glob("*.sqlite*")):
            if database.suffix in (".sqlite", ".sqlite3") and not _opens(database):
                failing.append("threads")
                break
    if settings.threads_url is not None and not reachable(settings.threads_url):
        failing.append("threads")
    if settings.chroma_url is not None and not _beats(settings.chroma_url):
        failing.append("chroma")
    if not any((cache_dir / "index").glob("*")):
        failing.append("index")
    return failing


def _beats(chroma_url: str) -> bool:
    """Whether the Chroma server answers within two seconds."""
    try:
        with urllib.request.urlopen(f"{chroma_url.rstrip('/')}/api/v2/heartbeat", timeout=2):
            return True
    except OSError:
        return False


def _opens(database: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1)) as connection:
            connection.execute("select count(*) from sqlite_master").fetchone()
    except sqlite3.Error:
        return False
    return True
