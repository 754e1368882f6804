"""Two patients in two tabs while replies take up to three seconds and overtake others: never another patient's word, label or pixel."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from agent.assistant import Assistant
from agent.settings import Settings
from benchmarks.loopback import on_loopback

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore:.future.no_silent_downcasting. is deprecated", "ignore:The copy keyword is deprecated"),
]
PATIENCE_MS = 150_000
CAP, IPF = "demo-cap-01", "demo-ipf-01"
# What only one of the two can say: creatinine, age, allergy.
WORDS = {CAP: ("demo-cap-01", "118 µmol/L", "penicillin", "67 y"), IPF: ("demo-ipf-01", "84 µmol/L", "70 y", "70 years")}
# Looks at every frame: whose name stands above, which foreign words stand anywhere but in the list of cases, and what the CT shows.
WATCH = """(foreign) => {
  window.foreign = foreign; window.leaks = []; window.frames = [];
  const look = () => {
    const opening = document.querySelector("#opening");
    const words = document.body.innerText.replace(opening?.open ? opening.innerText : "\\0", "");
    for (const word of window.foreign) if (words.includes(word) && !window.leaks.includes(word)) window.leaks.push(word);
    const canvas = document.querySelector("#viewer-canvas");
    let sum = 0;
    if (canvas?.width && canvas.dataset.drawn !== undefined) {
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      for (let i = 0; i < data.length; i += 64) sum = (sum * 31 + data[i]) % 1000003;
    }
    const title = document.querySelector("#patient-bar [data-case] .name b");
    const name = title?.checkVisibility({ visibilityProperty: true }) ? title.textContent : ""; // hidden while a case is being changed
    const last = window.frames.at(-1);
    if (!last || last[0] !== name || last[1] !== sum) window.frames.push([name, sum]);
    requestAnimationFrame(look);
  };
  look();
}"""


@dataclass
class Slow:
    """ASGI: replies of the server wait, in turn long and short, so that later ones overtake; the page's own files do not."""

    app: Any
    on: bool = False

    def __post_init__(self) -> None:
        self._waits = itertools.cycle((3.0, 0.2, 1.5))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.on and scope["type"] == "http" and not scope["path"].startswith(("/page/", "/assets/")):
            await asyncio.sleep(next(self._waits))
        await self.app(scope, receive, send)


@dataclass
class Place:
    url: str
    slow: Slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    from ui.app import build

    folder = tmp_path_factory.mktemp("slow")
    assistant = Assistant.open(Settings(folder / "data", folder / "cache", weights="none", embedder="hashing"))
    slow = Slow(build(assistant, files=folder / "sessions"))
    with on_loopback(slow) as url:
        yield Place(f"{url}/", slow)


def _open(page: "Page", case: str) -> None:
    page.locator("#open-case").click()
    page.locator(f"#opening [data-source={case}]").click()
    page.locator("#opening").wait_for(state="hidden")
    page.locator("#patient-bar", has_text=case).wait_for()


def _send(page: "Page", question: str) -> None:
    page.locator("#question textarea").fill(question)
    page.locator("#send").click()


def _watch(page: "Page", case: str) -> None:
    page.evaluate(WATCH, list(WORDS[IPF if case == CAP else CAP]))


def _answer(page: "Page") -> str:
    page.locator(".answer .acts").last.wait_for()
    return page.locator(".answer").last.inner_text()


def test_two_patients_on_a_slow_network(browser: "Browser", place: Place, pages: ModuleType) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-US")
    first, second = (pages.opened(context.new_page(), place.url) for _ in range(2))
    for page, case in ((first, CAP), (second, IPF)):
        page.set_default_timeout(PATIENCE_MS)
        _open(page, case)
        page.locator("#viewer-canvas[data-drawn]").wait_for()
        _watch(page, case)
    place.slow.on = True
    for page in (first, second):
        _send(page, "What is the creatinine?")
    assert "118" in _answer(first)
    first.reload()
    _watch(first, CAP)
    assert "84" in _answer(second)
    first.locator("#patient-bar", has_text=CAP).wait_for()
    assert "118" in _answer(first), "a reload brings its own conversation back"
    first.goto("about:blank")
    first.go_back()
    _watch(first, CAP)
    first.locator("#patient-bar", has_text=CAP).wait_for()
    first.locator("#viewer-canvas[data-drawn]").wait_for()
    for page in (first, second):
        assert page.evaluate("window.leaks") == []

    with context.expect_page() as copied:  # a duplicated tab brings the id of its origin along
        first.evaluate("window.open(location.href)")
    copy = copied.value
    copy.set_default_timeout(PATIENCE_MS)
    copy.locator("#question textarea").wait_for()
    copy.locator("#viewer .viewer").wait_for(state="attached")
    _watch(copy, "")
    copy.wait_for_timeout(4000)
    assert copy.locator("#patient-bar [data-case]").count() == 0
    assert copy.evaluate("window.leaks") == []
    place.slow.on = False
    context.close()


def test_a_switch_never_shows_the_former_ct_under_the_new_name(browser: "Browser", place: Place, pages: ModuleType) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-US")
    page = pages.opened(context.new_page(), place.url)
    page.set_default_timeout(PATIENCE_MS)
    _open(page, CAP)
    page.locator("#viewer-canvas[data-drawn]").wait_for()
    page.wait_for_timeout(1000)
    page.evaluate(WATCH, [])
    place.slow.on = True
    for _ in range(4):
        page.locator("#viewer-canvas").press("ArrowDown")  # these planes are still under way when the case changes
    _send(page, "What is the creatinine?")
    _answer(page)
    page.locator("#tab-talk-summary").click()
    page.locator(".summary-section li", has_text="penicillin").first.wait_for()
    _open(page, IPF)
    page.evaluate("words => { window.foreign = words; }", list(WORDS[CAP]))
    page.locator("#viewer-canvas[data-drawn]").wait_for()
    page.wait_for_timeout(3500)
    frames = page.evaluate("window.frames")
    former = {drawn for name, drawn in frames if name == CAP and drawn}
    later = {drawn for name, drawn in frames if name == IPF and drawn}
    assert former
    assert later
    assert not former & later
    assert page.evaluate("window.leaks") == []
    place.slow.on = False
    context.close()


def test_a_session_that_ended_gives_nothing(browser: "Browser", place: Place, pages: ModuleType) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-US")
    page = pages.opened(context.new_page(), place.url)
    page.set_default_timeout(PATIENCE_MS)
    _open(page, CAP)
    page.locator("#viewer-canvas[data-drawn]").wait_for()
    token = page.evaluate("async () => (await (await fetch('/studies')).json()).studies[0].token")
    asked = page.locator(".question").count()
    context.clear_cookies()
    place.slow.on = True
    assert page.evaluate("async path => (await fetch(path)).status", f"/study/{token}/plane/axial/3") in (401, 404)
    _send(page, "What is the creatinine?")
    page.wait_for_timeout(7000)
    assert page.locator(".answer .acts").count() == 0
    assert page.locator(".question").count() <= asked + 1
    place.slow.on = False
    context.close()
