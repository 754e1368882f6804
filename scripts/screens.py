"""Pictures of the page for the documentation, at four widths and in both languages: `python scripts/screens.py`.

A server of the real assistant is started on a free port and ended; pictures go to `docs/pictures/`, as small as they may be.
"""

import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "pictures"
SIZES = {390: 844, 1366: 768, 1920: 1080, 2560: 1440}
QUESTIONS = {"en": "Which antibiotic should be started?", "zh": "应该先用哪种抗生素？"}
LOCALES = {"en": "en-US", "zh": "zh-CN"}
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PATIENCE_MS = 240_000


def main(only: set[str]) -> None:
    """Take all pictures, or those whose name begins with one of `only`."""
    OUT.mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "ui.cli", "serve", "--port", str(port)], cwd=ROOT)
    try:
        url = f"http://127.0.0.1:{port}/"
        _wait(url)
        with sync_playwright() as started:
            browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            for width, height in SIZES.items():
                for language in LOCALES:
                    if not only or any(f"{width}-{language}".startswith(word) for word in only):
                        _walk(browser, url, width, height, language)
            browser.close()
    finally:
        server.terminate()
        server.wait()


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
        for tab in ("labs", "drugs", "timeline", "evidence", "settings"):
            page.locator(f"#tab-work-{tab}").click()
            page.locator(f"#{tab}-host:not([aria-busy]) h3").first.wait_for()
            _take(page, f"{width}-{language}-{tab}")
        page.locator("#open-case").click()
        page.locator("#opening-drop").wait_for()
        _take(page, f"{width}-{language}-opening")
        page.keyboard.press("Escape")
        page.evaluate("document.body.classList.add('dark')")
        page.locator("#tab-work-ct").click()
        _take(page, f"{width}-{language}-dark")
    context.close()


def _take(page: Page, name: str) -> None:
    page.wait_for_timeout(600)
    page.screenshot(path=OUT / f"{name}.jpg", type="jpeg", quality=42)


if __name__ == "__main__":
    main(set(sys.argv[1:]))
