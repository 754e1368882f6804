"""What is done before the page's own script is there, and what stands first in the dialog that opens a case."""

import json
import urllib.request
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from ui.page.document import modules

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

# The two warnings come from inside Gradio 6.31 when it uses pandas 3.1.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore:.future.no_silent_downcasting. is deprecated", "ignore:The copy keyword is deprecated"),
]
WIDE = {"width": 1366, "height": 768}
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1990-01-01"}
BUNDLE = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}).encode()
# Whether a file dragged over the page would take its place.
DRAGGED = """() => {
  const carried = new DataTransfer();
  carried.items.add(new File(["x"], "x.csv"));
  return !document.body.dispatchEvent(new DragEvent("dragover", { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    context = browser.new_context(viewport=WIDE, locale="en-US")  # type: ignore[arg-type]
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(("button", "shown"), [("#open-case", "#opening-drop"), ("#tab-work-labs", "#panel-labs")])
def test_a_click_before_the_script_is_done_when_it_is_there(page: "Page", running: Any, button: str, shown: str) -> None:
    page.set_default_timeout(45_000)
    held: list[Route] = []
    page.route("**/strings.json", lambda route: held.append(route))
    page.goto(running.url)
    page.locator(button).click()
    assert page.locator(button).get_attribute("aria-busy") == "true"
    assert page.evaluate(DRAGGED), "a file dropped now does not replace the page"
    page.wait_for_timeout(100)
    assert not page.locator(shown).is_visible()
    for route in held:
        route.continue_()
    page.locator(shown).wait_for()
    assert page.locator(button).get_attribute("aria-busy") is None


def test_the_document_names_every_module(running: Any) -> None:
    with urllib.request.urlopen(running.url) as reply:
        document = reply.read().decode()
    for address in modules():
        assert f'<link rel="modulepreload" href="{address}">' in document
        with urllib.request.urlopen(running.url.rstrip("/") + address) as module:
            assert module.status == 200


def test_own_files_open_by_themselves_beside_a_case_that_ships(page: "Page", running: Any, pages: ModuleType) -> None:
    pages.opened(page, running.url)
    page.locator("#open-case").click()
    page.locator("#opening [data-source=demo-cap-01]").click()
    page.locator("#patient-bar", has_text="demo-cap-01").wait_for()
    page.locator("#opening").wait_for(state="hidden")
    page.locator("#open-case").click()
    page.locator("#opening-input").set_input_files([{"name": "bundle.json", "mimeType": "application/json", "buffer": BUNDLE}])
    page.locator("#opening-new:enabled").wait_for()
    first = page.locator("#opening .go button").first
    assert first.get_attribute("id") == "opening-new"
    assert "strong" in (first.get_attribute("class") or "")
    first.click()
    page.locator("#opening").wait_for(state="hidden")
    page.locator("#patient-bar", has_text="FHIR bundle").wait_for()
    page.locator("#open-case").click()
    page.locator("#opening-text").fill("Na 138 mmol/L")
    page.locator("#opening-take").click()
    page.locator("#opening-add:enabled").wait_for()
    assert page.locator("#opening .go button").first.get_attribute("id") == "opening-add", "a sheet of one's own patient is added"
