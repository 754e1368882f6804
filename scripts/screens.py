"""Pictures of the page for the documentation, at four widths and in both languages: `python scripts/screens.py`.

A server of the real assistant is started on a free port and ended; pictures go to `docs/pictures/`, as small as they may be.
"""

import io
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "pictures"
SIZES = {390: 844, 1366: 768, 1920: 1080, 2560: 1440}
QUESTIONS = {"en": "Which antibiotic should be started?", "zh": "应该先用哪种抗生素？"}
LOCALES = {"en": "en-US", "zh": "zh-CN"}
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PATIENCE_MS = 240_000
WIDEST = 1366


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
    """One size and language: an answer beside the CT; at the usual laptop size every tab too."""
    context = browser.new_context(viewport={"width": width, "height": height}, locale=LOCALES[language], color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    page.locator("#patient-bar [data-case]").wait_for()
    page.locator("#question textarea").fill(QUESTIONS[language])
    page.locator("#send").click()
    page.locator(".acts").first.wait_for()
    phone = width < 760
    if not phone:
        page.locator("#viewer-canvas[data-drawn]").wait_for()
    _take(page, f"{width}-{language}-answer")
    if phone:
        for tab in ("patient", "ct"):
            page.locator(f"#tab-phone-{tab}").click()
            page.wait_for_timeout(4000)
            _take(page, f"{width}-{language}-{tab}")
    if width == 1366:
        for tab in ("labs", "drugs") if language == "zh" else ("timeline", "evidence"):
            page.locator(f"#tab-work-{tab}").click()
            page.locator(f"#{tab}-host:not([aria-busy]) h3").first.wait_for()
            _take(page, f"{width}-{language}-{tab}")
    if width == 1366 and language == "en":
        page.locator("#open-case").click()
        page.locator("#opening-drop").wait_for()
        _take(page, f"{width}-{language}-opening")
        page.keyboard.press("Escape")
        page.evaluate("document.body.classList.add('dark')")
        page.locator("#tab-work-ct").click()
        _take(page, f"{width}-{language}-dark")
    context.close()


def _take(page: Page, name: str) -> None:
    """A picture small enough for the documentation: no wider than a laptop, and hardly more than readable."""
    page.wait_for_timeout(600)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.thumbnail((WIDEST, WIDEST))
    picture.save(OUT / f"{name}.jpg", quality=30, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
