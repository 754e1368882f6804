"""A running page and a browser on it."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.loopback import on_loopback
from ui.door import Assistant

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def _load(name: str) -> ModuleType:
    """A helper module that stands beside this file (tests are no package)."""
    spec = importlib.util.spec_from_file_location(f"medmpt_ui_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


scripted = _load("scripted")
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  const serious = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
  return serious.flatMap((v) => v.nodes.slice(0, 4).map((n) => `${v.id}: ${n.html.slice(0, 140)} ${n.failureSummary?.slice(0, 160)}`));
}"""
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]


@dataclass(frozen=True)
class Running:
    url: str
    files: Path
    assistant: Any


@contextmanager
def served(assistant: Assistant, files: Path) -> Iterator[Running]:
    """The real page of `assistant` on a free port, ended cleanly."""
    from ui.app import build

    with on_loopback(build(assistant, files=files)) as url:
        yield Running(f"{url}/", files, assistant)


@pytest.fixture(scope="session")
def serving() -> Any:
    """Serve an ASGI application: `with serving(app) as url`."""
    return on_loopback


def opened(page: "Page", url: str) -> "Page":
    """The page loaded and ready; `page.outside` collects requests that leave this server, `page.failures` script errors."""
    page.set_default_timeout(45_000)
    page.outside = []  # type: ignore[attr-defined]
    page.failures = []  # type: ignore[attr-defined]
    page.on("request", lambda r: None if r.url.startswith((url, "data:", "blob:")) else page.outside.append(r.url))  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.failures.append(str(error)))  # type: ignore[attr-defined]
    page.goto(url)
    page.locator("#question textarea").wait_for()
    page.locator("#viewer .viewer").wait_for(state="attached")
    return page


def serious(page: "Page") -> list[str]:
    """What axe-core calls serious or critical on the page as it is, in light and in dark."""
    page.evaluate(AXE)
    found: list[str] = []
    for shade in ("light", "dark"):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", shade == "dark")
        found += [f"{shade}: {words}" for words in page.evaluate(SERIOUS)]
    page.evaluate("document.body.classList.remove('dark')")
    return found


@pytest.fixture(scope="session")
def pages() -> ModuleType:
    """This module's helpers, for tests that serve another assistant."""
    return sys.modules[__name__]


@pytest.fixture(name="scripted", scope="session")
def scripted_module() -> ModuleType:
    """The scripted assistant's module."""
    return scripted


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The page over a scripted assistant that takes its time, so that steps can be watched and stopped."""
    with served(scripted.ScriptedAssistant(pause=0.25), tmp_path_factory.mktemp("ui") / "sessions") as page:
        yield page


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra `dev`)")
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: apt-get install chromium")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()
