"""Pictures of the page for the documentation, at four widths and in both languages: `python scripts/screens.py`.

A server of the real assistant is started on a free port and ended; pictures go to `docs/pictures/`, as small as they may be.
"""

import io
import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "pictures"
SIZES = {390: 844, 1366: 768, 1920: 1080, 2560: 1440}
WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
QUESTIONS = {"en": "Which antibiotic should be started?", "zh": WORDS["question"]}
LOCALES = {"en": "en-US", "zh": "zh-CN"}
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PATIENCE_MS = 240_000
SHEET = "time,analyte,value,unit\n2025-03-02T08:00,creatinine,140,umol/L\n2025-03-01T08:10,crp,100,mg/L\n"
WIDEST = 1180
# A folder for the pictures as they were taken, for whoever looks at them closely.
WHOLE = os.environ.get("WHOLE")


def main(arguments: list[str]) -> None:
    """Take all pictures, or those whose name begins with one of the arguments; an address among them names a server that runs already."""
    OUT.mkdir(exist_ok=True)
    only = [word for word in arguments if not word.startswith("http")]
    running = next((word for word in arguments if word.startswith("http")), None)
    if running is not None:
        _all(running, only)
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "ui.cli", "serve", "--port", str(port)], cwd=ROOT)
    try:
        _all(f"http://127.0.0.1:{port}/", only)
    finally:
        server.terminate()
        server.wait()


def _all(url: str, only: list[str]) -> None:
    _wait(url)
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for width, height in SIZES.items():
            for language in LOCALES:
                if not only or any(f"{width}-{language}".startswith(word) for word in only):
                    _walk(browser, url, width, height, language)
        browser.close()


def _wait(url: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(1)
        else:
            return
    raise SystemExit("the server did not start")


def _walk(browser: Browser, url: str, width: int, height: int, language: str) -> None:
    """One size and language: an answer beside the CT, light and dark; on a phone and at the usual laptop size every view."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale=LOCALES[language], color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    page.locator("#patient-bar [data-case]").wait_for()
    page.locator("#question textarea").fill(QUESTIONS[language])
    page.locator("#send").click()
    page.locator(".acts").first.wait_for()
    name = f"{width}-{language}"
    if width < 760:
        _take(page, f"{name}-answer")
        _phone(page, name)
    else:
        page.locator("#viewer-canvas[data-drawn]").wait_for()
        page.locator("#viewer-keys button").first.wait_for()
        _take(page, f"{name}-answer")
        _dark(page, f"{name}-dark")
    if width == 1366:
        _tabs(page, name)
    if width == 1920:
        _report(page, name)
    context.close()


def _phone(page: Page, name: str) -> None:
    """The three tabs of a phone, and the views beside the conversation."""
    page.locator("#tab-phone-patient").click()
    page.locator("#labs-host:not([aria-busy]) h3").first.wait_for()
    _take(page, f"{name}-patient")
    page.locator("#tab-phone-ct").click()
    page.locator("#viewer-canvas[data-drawn]").wait_for()
    _take(page, f"{name}-ct")
    page.locator("#tab-phone-chat").click()
    _report(page, name)
    _summary(page, name)
    _dark(page, f"{name}-dark")
    _teach(page, name)


def _tabs(page: Page, name: str) -> None:
    for tab in ("labs", "drugs", "timeline", "evidence", "settings"):
        page.locator(f"#tab-work-{tab}").click()
        page.locator(f"#{tab}-host:not([aria-busy]) h3").first.wait_for()
        _take(page, f"{name}-{tab}")
    page.locator("#tab-work-ct").click()
    page.locator("#open-case").click()
    page.locator("#opening-drop").wait_for()
    _take(page, f"{name}-opening")
    _preview(page, name)
    page.keyboard.press("Escape")
    _report(page, name)
    _summary(page, name)
    _teach(page, name)


def _preview(page: Page, name: str) -> None:
    """Files that differ from the open case, and one that is none."""
    page.locator("#opening-input").set_input_files(
        [{"name": n, "mimeType": "text/plain", "buffer": text.encode()} for n, text in (("sheet.csv", SHEET), ("letter.txt", "Dear Anna"))]
    )
    page.locator("#opening-what fieldset").first.wait_for()
    page.locator("#opening-what").scroll_into_view_if_needed()
    _take(page, f"{name}-preview")
    page.locator("#opening-clear").click()


def _report(page: Page, name: str) -> None:
    page.locator("#tab-talk-report").click()
    page.locator("#report-host [data-act=draft]").first.click()
    page.locator(".report-section .sentence").first.wait_for()
    _take(page, f"{name}-report")


def _summary(page: Page, name: str) -> None:
    page.locator("#tab-talk-summary").click()
    page.locator(".summary-section li").first.wait_for()
    _take(page, f"{name}-summary")


def _teach(page: Page, name: str) -> None:
    """The list of what comes next, a reading, and its result."""
    page.locator("#tab-talk-teach").click()
    page.locator("#teaching [data-do=next]").wait_for()
    _take(page, f"{name}-teach")
    page.locator("#teaching [data-do=next]").click()
    page.locator("#teach-finding").wait_for()
    if page.locator("#viewer").is_visible():  # on a phone the images have a tab of their own
        page.locator("#viewer-canvas[data-drawn]").wait_for()
    page.locator("#teach-finding").select_option(index=1)
    if page.locator("#teach-size").is_visible():
        page.locator("#teach-size").fill("12")
    page.locator("#teaching [data-do=add]").click()
    page.locator("#teach-entries li").wait_for()
    _take(page, f"{name}-reading")
    page.locator("#teaching [data-do=ask]").click()
    page.locator("#teaching [data-do=commit]").click()
    after = page.locator("#teaching [data-do=decide], #teaching [data-do=next]").first
    after.wait_for()
    if page.locator("#teaching [data-do=decide]").count():
        page.locator("#teaching [data-do=decide]").click()
    page.locator("#teaching [data-do=next]").wait_for()
    _take(page, f"{name}-result")


def _dark(page: Page, name: str) -> None:
    page.evaluate("document.body.classList.add('dark')")
    _take(page, name)
    page.evaluate("document.body.classList.remove('dark')")


def _take(page: Page, name: str) -> None:
    """A picture small enough for the documentation: no wider than a laptop, and hardly more than readable."""
    page.wait_for_timeout(600)
    whole = page.screenshot()
    if WHOLE is not None:
        (Path(WHOLE) / f"{name}.png").write_bytes(whole)
    picture = Image.open(io.BytesIO(whole)).convert("RGB")
    picture.thumbnail((WIDEST, WIDEST))
    picture.save(OUT / f"{name}.webp", quality=42, method=6)


if __name__ == "__main__":
    main(sys.argv[1:])
