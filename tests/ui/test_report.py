"""The report editor and the case summary in a browser: draft, edit, strike, sign, export; nothing changes after the signature."""

from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from agent.assistant import Assistant
from agent.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# The two warnings come from inside Gradio 6.31 when it uses pandas 3.1.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore:.future.no_silent_downcasting. is deprecated", "ignore:The copy keyword is deprecated"),
]


@pytest.fixture(scope="module")
def real(pages: ModuleType, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Any]:
    """The page on the real assistant without weights: what is measured is drafted."""
    folder = tmp_path_factory.mktemp("real")
    assert pytestconfig.cache is not None
    assistant = Assistant.open(Settings(data_dir=folder / "data", cache_dir=pytestconfig.cache.mkdir("medmpt"), weights="none"))
    with pages.served(assistant, folder / "sessions") as page:
        yield page
    assistant.close()


@pytest.fixture
def page(browser: "Browser", real: Any, pages: ModuleType) -> Iterator["Page"]:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-US", accept_downloads=True, reduced_motion="reduce")
    shown = pages.opened(context.new_page(), real.url)
    shown.set_default_timeout(120_000)  # the demo scan is made on a first run
    shown.locator("#open-case").click()
    shown.locator("#opening [data-source=demo-cap-01]").click()
    shown.locator("#viewer-canvas[data-drawn]").first.wait_for()
    yield shown
    assert not shown.failures  # type: ignore[attr-defined]
    assert not shown.outside  # type: ignore[attr-defined]
    context.close()


def test_a_draft_becomes_a_signed_report(page: "Page", pages: ModuleType) -> None:
    page.locator("#tab-talk-report").click()
    page.locator("#report-host [data-act=draft]").click()
    rows = page.locator(".report-section[data-section=measurements] .sentence")
    rows.first.wait_for()
    assert page.locator("[data-act=sign]").is_disabled()
    rows.first.locator("[data-act=edit]").click()
    page.locator(".report-write textarea").fill("The lungs measure 4.9 L.")
    page.keyboard.press("Control+Enter")
    assert page.locator(".sentence.edited ins").inner_text() == "The lungs measure 4.9 L."
    rows.nth(1).locator("[data-act=strike]").click()
    assert pages.serious(page) == []
    page.locator(".sentence.struck del").wait_for()
    while left := page.locator("[data-act=accept-section]").count():
        page.locator("[data-act=accept-section]").first.click()
        page.wait_for_function("n => document.querySelectorAll('[data-act=accept-section]').length < n", arg=left)
    page.locator("[data-act=sign]").click()
    assert "The lungs measure 4.9 L." in page.locator("#signing pre").inner_text()
    page.locator("#signing-name").fill("Dr Ada Reader")
    assert page.locator("#signing-do").is_disabled()
    page.locator("#signing-read").check()
    page.locator("#signing-do").click()
    page.locator(".report-state.signed", has_text="Dr Ada Reader").wait_for()
    assert page.locator(".report .acts button").count() == 0
    with page.expect_download() as download:
        page.locator("#report-host [data-act=export][data-form=md]").click()
    written = download.value.path().read_text(encoding="utf-8")
    assert "Signed by Dr Ada Reader" in written
    assert "PRELIMINARY" not in written
    page.reload()
    page.locator("#tab-talk-report").click()
    page.locator(".report-state.signed", has_text="Dr Ada Reader").wait_for()
    _summary(page)
    assert pages.serious(page) == []
    page.locator("#tab-talk-teach").click()
    page.locator("#teaching [data-do=next]").wait_for()
    assert pages.serious(page) == []


def test_a_measured_lesion_is_not_forgotten_by_the_report(page: "Page") -> None:
    page.locator("#tab-talk-report").click()
    page.locator("#report-host [data-act=draft]").click()
    page.locator(".report-section .sentence").first.wait_for()
    assert page.locator(".report-marks").count() == 0
    page.locator("#viewer-slider").fill("42")
    page.locator('#viewer-canvas[data-drawn="42"]').wait_for()
    canvas = page.locator("#viewer-canvas")
    box = canvas.bounding_box()
    assert box is not None
    side = min(box["width"], box["height"])
    page.locator("button[data-tool=measure]").click()
    canvas.click(position={"x": box["width"] / 2 + (316.5 / 512 - 0.5) * side, "y": box["height"] / 2 + (367.5 / 512 - 0.5) * side})
    page.locator("#viewer-marks .mark-words").first.wait_for()
    page.locator("#panel-report").hover()
    page.locator(".report-marks button[data-number]").click()
    page.locator(".report-section[data-section=lungs] .sentence.accepted .origin.mark").wait_for()
    assert page.locator(".report-marks").count() == 0, "said now"
    page.locator("#report-host [data-act=draft]").click()
    page.locator(".report-section[data-section=impression] .sentence.proposed .origin.mark").wait_for()
    assert page.locator(".report-section[data-section=lungs] .sentence.proposed .origin.mark").count() == 1
    assert page.locator(".report-marks").count() == 0


def _summary(page: "Page") -> None:
    """The case on one page opens its sources, in both languages."""
    page.locator("#tab-talk-summary").click()
    first = page.locator(".summary-section.problems li.act_now").first
    assert "NEWS2 is 15 points" in first.inner_text()
    first.locator("button.source").first.click()
    page.locator("#drawer", has_text="S-news2").wait_for()
    page.keyboard.press("Escape")
    page.locator("#language label", has_text="中文").click()
    page.locator(".summary [data-for=tumour_board]").click()
    page.locator(".summary h2", has_text="多学科肿瘤讨论").wait_for()
