"""Two CTs of one patient beside each other in a browser: which is the prior, scrolling together, an offset, and apart; both languages."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from agent.assistant import Assistant
from agent.settings import Settings
from tools.case.virtual.dicom_writer import write_series

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore:.future.no_silent_downcasting. is deprecated", "ignore:The copy keyword is deprecated"),
]
NAMES = {"en-US": ("Prior", "Axial", "Compare"), "zh-CN": ("既往", "轴位", "对比")}


@pytest.fixture(scope="module")
def bare(pages: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The real assistant without weights: opening, joining and cutting planes need none."""
    folder = tmp_path_factory.mktemp("bare")
    assistant = Assistant.open(Settings(folder / "data", folder / "cache", weights="none", embedder="hashing"))
    with pages.served(assistant, folder / "sessions") as page:
        yield page
    assistant.close()


def _scan(folder: Path, name: str, slices: int, apart: float, day: str) -> Path:
    """A body with two lungs as a zip of slices, `slices` of them `apart` mm apart."""
    rows, columns = np.ogrid[:96, :96]
    body = (rows - 48) ** 2 / 40**2 + (columns - 48) ** 2 / 46**2 < 1
    lungs = ((rows - 46) ** 2 / 26**2 + (columns - 28) ** 2 / 14**2 < 1) | ((rows - 46) ** 2 / 26**2 + (columns - 68) ** 2 / 14**2 < 1)
    plane = np.where(lungs, -830, np.where(body, 40, -1000)).astype(np.int16)
    write_series(np.repeat(plane[None], slices, axis=0), (apart, 3.6, 3.6), folder / name, description="CHEST", study_date=day)
    archive = folder / f"{name}.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted((folder / name).iterdir()):
            packed.write(file, file.name)
    return archive


def _drawn(page: "Page", pane: str, index: int) -> None:
    page.locator(f'.pane[data-pane={pane}] canvas[data-drawn="{index}"]').wait_for()


@pytest.mark.parametrize("locale", ["en-US", pytest.param("zh-CN", marks=pytest.mark.slow)])
def test_the_older_study_stands_beside_and_scrolls_along(
    browser: "Browser", bare: Any, pages: ModuleType, tmp_path: Path, locale: str
) -> None:
    prior, axial, compare = NAMES[locale]
    older, newer = _scan(tmp_path, "older", 30, 10.0, "20240110"), _scan(tmp_path, "newer", 60, 5.0, "20250301")
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale=locale)
    page = pages.opened(context.new_page(), bare.url)
    page.locator("#open-case").click()
    page.locator("#opening-input").set_input_files([older, newer])  # the order of choosing says nothing about the order of time
    page.locator("#opening-add:enabled").click()
    page.locator("#opening").wait_for(state="hidden")
    _drawn(page, "axial", 30)
    assert page.locator("#viewer-study option").count() == 2
    page.locator("[data-layout=pair]", has_text=compare).click()
    assert page.locator(".pane[data-pane=axial] .pane-name").inner_text() == axial
    page.locator(".pane[data-pane=prior] .pane-name", has_text=prior).wait_for()
    _drawn(page, "prior", 15)  # the same 150 mm from the head, at another slice thickness
    main, other = page.locator("#viewer-canvas"), page.locator("#viewer-canvas-prior")
    for _ in range(4):
        main.press("ArrowDown")
    _drawn(page, "prior", 17)
    other.press("ArrowDown")  # the prior leads as well
    _drawn(page, "axial", 36)
    page.locator("#viewer-more summary").click()
    page.locator("#viewer-link").uncheck()
    other.press("PageUp")
    _drawn(page, "prior", 8)
    assert main.get_attribute("data-drawn") == "36"
    page.locator("#viewer-link").check()  # from here with the offset that was set
    main.press("ArrowUp")
    main.press("ArrowUp")
    _drawn(page, "prior", 7)
    boxes = [page.locator(f".pane[data-pane={name}]").bounding_box() for name in ("axial", "prior")]
    assert all(box is not None for box in boxes)
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"] + 1  # type: ignore[index]
    page.locator("[data-layout=all]").click()
    _drawn(page, "coronal", 48)
    assert page.failures == []  # type: ignore[attr-defined]
    context.close()
