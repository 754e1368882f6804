"""Two `medmpt serve` behind the nginx of deploy/nginx.conf, with a Postgres server between them: one is killed, the person goes on."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from tests.postgres import free_port, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("browser")]
ROOT = Path(__file__).resolve().parents[2]
NGINX = Path("/usr/sbin/nginx")


@contextmanager
def process(command: list[str], ready: str, folder: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program that answers at `ready`, ended at the end."""
    with (folder / f"{len(list(folder.iterdir()))}.log").open("wb") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **more})
    try:
        ends = time.monotonic() + 120
        while not answers(ready):
            assert started.poll() is None, Path(log.name).read_text()
            assert time.monotonic() < ends
            time.sleep(0.2)
        yield started
    finally:
        started.terminate()
        started.wait(60)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@contextmanager
def workers(folder: Path) -> Iterator[tuple[str, dict[str, subprocess.Popen[bytes]]]]:
    """The address of both, and each process by its own address."""
    with ExitStack() as stack:
        database = folder / "pg"
        database.mkdir()
        url = stack.enter_context(running(database))
        door, *ports = free_port(), free_port(), free_port()
        found = {}
        for port in ports:
            own = folder / str(port)
            own.mkdir()
            settings = {"MEDMPT_DATA_DIR": str(own / "data"), "MEDMPT_CACHE_DIR": str(own / "cache"), "MEDMPT_THREADS_URL": url}
            command = [sys.executable, "-m", "ui.cli", "serve", "--port", str(port), "--case", "demo-cap-01"]
            address = f"127.0.0.1:{port}"
            more = {**settings, "MEDMPT_EMBEDDER": "hashing"}
            found[address] = stack.enter_context(process(command, f"http://{address}/healthz", own, **more))
        conf = (ROOT / "deploy" / "nginx.conf").read_text().replace(":7860;", f":{door};")
        for written, port in zip(("7861", "7862"), ports, strict=True):
            conf = conf.replace(f":{written} ", f":{port} ")
        conf = conf.replace("location / {", "add_header x-worker $upstream_addr always; location / {")
        (folder / "nginx.conf").write_text(f"pid {folder}/nginx.pid; error_log stderr;\n{conf}")
        command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
        stack.enter_context(process(command, f"http://127.0.0.1:{door}/healthz", folder))
        yield f"http://127.0.0.1:{door}/", found


def ask(page: "Page", question: str, held: str) -> None:
    page.locator("#question textarea").fill(question)
    page.locator("#send").click()
    page.locator(".said", has_text=held).last.wait_for()


def test_a_killed_worker_is_taken_over_with_case_and_conversation(browser: "Browser", pages: ModuleType, tmp_path: Path) -> None:
    if not NGINX.exists():
        pytest.skip("no nginx here: apt-get install nginx-light")
    with workers(tmp_path) as (url, found):
        context, other = browser.new_context(locale="en-US"), browser.new_context(locale="en-US")
        page = context.new_page()
        page.goto(url)  # the cookie is set with this answer; from the next request on it chooses the worker
        page = pages.opened(page, url)
        page.set_default_timeout(240_000)
        ask(page, "What is the urea?", "11.2 mmol/L")
        first = page.request.get(f"{url}healthz").headers["x-worker"]
        found[first].send_signal(signal.SIGKILL)
        found[first].wait(30)
        page.reload()
        page.locator(".said", has_text="11.2 mmol/L").last.wait_for()
        assert page.request.get(f"{url}healthz").headers["x-worker"] != first
        ask(page, "and the CRP?", "214 mg/L")
        assert [re.sub(r"\s+", " ", q) for q in page.locator(".question").all_inner_texts()] == ["What is the urea?", "and the CRP?"]
        stranger = pages.opened(other.new_page(), url)
        stranger.locator("#starters .chip").first.wait_for()
        assert stranger.locator(".question").count() == 0
        context.close()
        other.close()
