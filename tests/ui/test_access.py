"""The page is usable without a mouse, without colour, on a phone and in the dark: axe-core and a few keys."""

from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore:.future.no_silent_downcasting. is deprecated", "ignore:The copy keyword is deprecated"),
]
SMALL = """() => [...document.querySelectorAll("button, [role=tab], select, summary")].filter((one) => {
  const box = one.getBoundingClientRect();
  const inline = getComputedStyle(one).display === "inline";
  return !inline && one.checkVisibility({ visibilityProperty: true }) && box.width > 0 && (box.height < 24 || box.width < 24);
}).map((one) => one.outerHTML.slice(0, 120))"""


@pytest.fixture
def page(browser: "Browser", running: Any, pages: ModuleType) -> Iterator["Page"]:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-US", reduced_motion="reduce")
    yield pages.opened(context.new_page(), running.url)
    context.close()


def test_no_serious_finding_in_light_and_dark_and_targets_are_large(page: "Page", pages: ModuleType) -> None:
    page.locator("#open-case").click()
    page.locator("#opening [data-source=demo-cap-01]").click()
    page.locator("#patient-bar [data-case]").wait_for()
    page.locator("#question textarea").fill("Interpret the labs")
    page.locator("#send").click()
    page.locator(".answer .sources").wait_for()
    found: dict[str, list[str]] = {}
    for tab in ("ct", "labs", "drugs", "timeline", "evidence", "settings"):
        page.locator(f"#tab-work-{tab}").click()
        if tab != "ct":
            page.locator(f"#{tab}-host:not([aria-busy]) h3").first.wait_for()
        found[tab] = pages.serious(page)
        assert page.evaluate(SMALL) == [], tab
    page.locator("#open-case").click()
    page.locator("#opening-drop").wait_for()
    found["opening"] = pages.serious(page)
    assert {where: words for where, words in found.items() if words} == {}


def test_the_keyboard_reaches_tabs_and_the_dialog(page: "Page") -> None:
    page.locator("#tab-work-ct").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-work-labs"
    assert page.locator("#panel-labs").is_visible()
    assert page.locator("#tab-work-labs").get_attribute("aria-selected") == "true"
    page.locator("#open-case").focus()
    page.keyboard.press("Enter")
    page.locator("#opening-drop").wait_for()
    page.keyboard.press("Escape")
    page.locator("#opening").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.id") == "open-case"


def test_twice_the_size_still_fits(browser: "Browser", running: Any, pages: ModuleType) -> None:
    context = browser.new_context(viewport={"width": 683, "height": 384}, locale="zh-CN")  # 1366 × 768 at 200 %
    page = pages.opened(context.new_page(), running.url)
    assert page.evaluate("document.documentElement.scrollWidth") <= 683
    page.locator("#question textarea").scroll_into_view_if_needed()
    assert page.locator("#send").is_visible()
    context.close()
