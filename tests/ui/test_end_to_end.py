"""The page in a browser on the real assistant: demo case, question, citation; and a real scan measured by one click."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
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
QUESTION = "Interpret the labs, compute CURB-65 and say what the guideline recommends"
LIDC = Path(__file__).resolve().parents[2] / "../shared/data/chest_ct/LIDC-IDRI-0001"


@pytest.fixture(scope="module")
def real(pages: ModuleType, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Any]:
    """The page on the real assistant; what can be derived again (index, demo scans) is kept between test runs by content."""
    folder = tmp_path_factory.mktemp("real")
    assert pytestconfig.cache is not None
    assistant = Assistant.open(Settings(data_dir=folder / "data", cache_dir=pytestconfig.cache.mkdir("medmpt")))
    with pages.served(assistant, folder / "sessions") as page:
        yield page
    assistant.close()


@pytest.fixture
def page(browser: "Browser", real: Any, pages: ModuleType) -> Iterator["Page"]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    shown = pages.opened(context.new_page(), real.url)
    shown.set_default_timeout(200_000)  # the index and the demo scan are made on a first run
    yield shown
    context.close()


def test_demo_case_to_cited_passage(page: "Page") -> None:
    page.locator("#open-case").click()
    page.locator("#opening [data-source=demo-cap-01]").click()
    page.locator("#viewer-canvas[data-drawn]").wait_for()
    assert page.locator("#viewer-synthetic").is_visible()
    page.locator("#starters .chip").first.click()
    page.locator(".step").first.wait_for(state="attached")
    page.locator(".answer .sources").wait_for()
    assert page.locator(".question").inner_text() == QUESTION
    said = page.locator(".said").all_text_contents()
    assert any("11.2 mmol/L" in text for text in said)
    assert any("CURB-65 is 5 points" in text for text in said)
    guideline = page.locator('.said .cite[data-key^="G-"]').first
    for fold in page.locator(".fold.evidence:not([open]) > summary").all():
        fold.click()
    guideline.click()
    drawer = page.locator("#drawer")
    drawer.locator("blockquote[lang=zh]").wait_for()
    assert drawer.locator(".key").inner_text() == guideline.get_attribute("data-key")
    assert drawer.locator("h2").inner_text()
    assert page.outside == []  # type: ignore[attr-defined]
    assert page.failures == []  # type: ignore[attr-defined]


def test_a_real_lesion_is_measured_from_one_click(page: "Page", tmp_path: Path) -> None:
    if not LIDC.is_dir():
        pytest.skip(f"the public scan is not beside this checkout: {LIDC.name}")
    archive = tmp_path / "scan.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in LIDC.rglob("*.dcm"):
            packed.write(file, file.name)
    page.locator("#open-case").click()
    page.locator("#opening-drop").wait_for()
    page.locator("#opening-input").set_input_files(archive)
    page.locator("#opening-add:enabled").click()
    page.locator("#viewer-canvas[data-drawn]").wait_for()
    page.locator("#viewer-slider").fill("42")
    page.locator('#viewer-canvas[data-drawn="42"]').wait_for()
    canvas = page.locator("#viewer-canvas")
    box = canvas.bounding_box()
    assert box is not None
    side = min(box["width"], box["height"])
    page.locator("[data-tool=measure]").click()
    canvas.click(position={"x": box["width"] / 2 + (316.5 / 512 - 0.5) * side, "y": box["height"] / 2 + (367.5 / 512 - 0.5) * side})
    page.locator("#viewer-result", has_text="long axis").wait_for()
    long_mm = float(page.locator("#viewer-result").inner_text().split("long axis ")[1].split(" mm")[0])
    assert 32.0 * 0.85 <= long_mm <= 33.7 * 1.15  # the four readers' long axes (069.xml) widened by 15 %
