"""`/healthz` (the process answers) and `/readyz` (it can serve a question): for a supervisor, without a session and without details."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse


def add_routes(router: APIRouter, data_dir: Path, cache_dir: Path) -> None:
    """Add both routes."""

    @router.get("/healthz")
    async def alive() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @router.get("/readyz")
    async def ready() -> JSONResponse:
        failing = await run_in_threadpool(not_ready, data_dir, cache_dir)
        return JSONResponse({"status": "unavailable" if failing else "ok", "failing": failing}, status_code=503 if failing else 200)


def not_ready(data_dir: Path, cache_dir: Path) -> list[str]:
    """Names of the parts that stop this installation from answering: `data_dir`, `threads`, `index`."""
    failing = []
    if not data_dir.is_dir() or not os.access(data_dir, os.W_OK):
        failing.append("data_dir")
    else:
        for database in sorted(data_dir.glob("*.sqlite*")):
            if database.suffix in (".sqlite", ".sqlite3") and not _opens(database):
                failing.append("threads")
                break
    if not any((cache_dir / "index").glob("*")):
        failing.append("index")
    return failing


def _opens(database: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1)) as connection:
            connection.execute("select count(*) from sqlite_master").fetchone()
    except sqlite3.Error:
        return False
    return True
