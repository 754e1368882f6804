"""The page in a real browser, on the scripted assistant."""

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# The two warnings come from inside Gradio 6.31 when it uses pandas 3.1.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore:.future.no_silent_downcasting. is deprecated", "ignore:The copy keyword is deprecated"),
]
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# Notes in which order the parts of an answer first appear.
WATCH = """() => {
  window.seen = [];
  const parts = [".step.running", ".step.ok", ".said", ".sources"];
  new MutationObserver(() => {
    for (const part of parts) if (document.querySelector(part) && !window.seen.includes(part)) window.seen.push(part);
  }).observe(document.body, { childList: true, subtree: true });
}"""
# How long it takes from the press of Stop to the word that it has stopped.
STOPPED = """() => {
  let pressed = 0;
  document.querySelector("#stop").addEventListener("click", () => { pressed = performance.now(); }, { capture: true });
  new MutationObserver(() => {
    const told = [...document.querySelectorAll(".answer .note")].some((note) => note.textContent.includes("Stopped"));
    if (told) window.stoppedIn ??= performance.now() - pressed;
  }).observe(document.body, { childList: true, subtree: true });
}"""
# Opens the panel of models and picks the second one in the same moment: no frame is drawn between the two.
OPEN_AND_PICK = """() => {
  document.querySelector("#model-toggle").click();
  document.querySelectorAll("#model-pick input")[1].click();
}"""


@pytest.fixture
def page(browser: "Browser", running: Any, pages: ModuleType) -> Iterator["Page"]:
    context = browser.new_context(viewport=WIDE, locale="en-US")  # type: ignore[arg-type]
    yield pages.opened(context.new_page(), running.url)
    context.close()


def open_demo(page: "Page", number: int = 0) -> None:
    page.locator("#open-case").click()
    page.locator("#opening [data-source^=demo]").nth(number).click()
    page.locator("#patient-bar", has_text=("demo-cap-01", "demo-ipf-01")[number]).wait_for()
    page.locator("#opening").wait_for(state="hidden")
    if page.locator("#viewer").is_visible():  # a phone shows it in a tab of its own
        page.locator("#viewer-canvas[data-drawn]").wait_for()


def ask(page: "Page", question: str) -> None:
    page.locator("#question textarea").fill(question)
    page.locator("#send").click()


def test_demo_question_streams_steps_then_cited_sentences(page: "Page") -> None:
    open_demo(page)
    page.evaluate(WATCH)
    ask(page, "Interpret the labs in shock")
    page.locator(".answer .sources").wait_for()
    assert page.evaluate("window.seen") == [".step.running", ".step.ok", ".said", ".sources"]
    assert page.locator(".said").count() == 3
    assert [m.text_content() for m in page.locator(".said .cite").all()] == ["1", "2", "3"]
    assert page.locator(".headline").inner_text().startswith("Urea is 11.2")
    assert page.locator(".fold.evidence").get_attribute("open") is None
    assert "82 mmHg" in page.locator(".box.emergency").inner_text()
    page.locator(".missing summary").click()
    assert "respiratory rate" in page.locator(".missing").inner_text()
    page.locator(".removed summary").click()
    assert "sodium is 99" in page.locator(".removed").inner_text()
    page.locator(".steps summary").click()
    assert "1 passage <b>" in page.locator(".steps").inner_text()
    page.locator(".said .cite").nth(1).click()
    drawer = page.locator("#drawer")
    drawer.locator("blockquote").first.wait_for()
    shown = drawer.inner_text()
    assert all(part in shown for part in ("Pneumonia <2019>", "hospital care", "住院治疗", "2019", "Section 2", "Superseded by G-000002"))
    page.keyboard.press("Escape")
    assert drawer.is_hidden()
    page.locator(".headline button.num").click()
    page.locator("#labs-host tr.found", has_text="urea").wait_for()
    page.locator("#tab-work-evidence").click()
    page.locator("#evidence-host .cited li").nth(2).wait_for()
    page.locator(".next .chip").click()
    page.locator(".question", has_text="How long is it treated?").wait_for()
    assert page.outside == []  # type: ignore[attr-defined]
    assert page.failures == []  # type: ignore[attr-defined]


def test_viewer_scrolls_windows_jumps_and_measures(page: "Page") -> None:
    open_demo(page)
    canvas = page.locator("#viewer-canvas")
    assert canvas.get_attribute("data-drawn") == "12"  # the middle
    page.locator("#viewer-keys button", has_text="11").click()
    page.locator('#viewer-canvas[data-drawn="11"]').wait_for()
    canvas.hover()
    page.mouse.wheel(0, 120)
    page.locator('#viewer-canvas[data-drawn="14"]').wait_for()
    canvas.press("PageUp")
    page.locator('#viewer-canvas[data-drawn="4"]').wait_for()
    grey = """c => {
      const off = 0.4 * Math.min(c.width, c.height);  // a corner of the picture: 40 HU beside the disc
      return c.getContext("2d").getImageData(c.width / 2 - off, c.height / 2 - off, 1, 1).data[0];
    }"""
    page.locator("#viewer-cross").evaluate("box => box.click()")
    assert canvas.evaluate(grey) > 200
    page.locator("#window-mediastinum").click()
    assert 120 < canvas.evaluate(grey) < 135
    page.locator("[data-tool=measure]").click()
    canvas.click()
    page.locator("#viewer-result", has_text="12.3 mm").wait_for()
    assert "solid" in page.locator("#viewer-result").inner_text()
    assert page.locator("#viewer-synthetic").is_visible()
    assert [side.inner_text() for side in page.locator(".pane[data-pane=axial] .side").all()] == ["R", "L", "A", "P"]
    ask(page, "Where is the nodule?")
    page.locator(".answer .sources").wait_for()
    page.locator(".fold.evidence summary").click()
    page.locator("button.jump").first.click()
    page.locator('#viewer-canvas[data-drawn="7"]').wait_for()


def test_three_planes_share_one_crosshair_and_marks_stay(page: "Page") -> None:
    open_demo(page)
    page.locator("#viewer-canvas-sagittal[data-drawn='32']").wait_for()
    axial = page.locator("#viewer-canvas")
    for _ in range(3):
        axial.press("Shift+ArrowRight")
    page.locator("#viewer-canvas-sagittal[data-drawn='35']").wait_for()
    page.locator("#viewer-canvas-coronal").press("ArrowDown")
    page.locator("#viewer-canvas-coronal[data-drawn='33']").wait_for()
    axial.press("Enter")
    rows = page.locator("#viewer-marks .mark-words")
    page.locator("#viewer-marks .mark-words", has_text="right upper third").first.wait_for()
    count = rows.count()
    page.locator("#viewer-marks [data-do=rename]").last.click()
    page.locator("#viewer-marks form input").fill("<apex>")
    page.keyboard.press("Enter")
    page.locator("#viewer-marks b", has_text="<apex>").wait_for()
    page.reload()
    page.locator("#viewer-marks b", has_text="<apex>").wait_for()
    page.locator("#viewer-marks [data-do=delete]").last.click()
    page.locator("#viewer-marks b", has_text="<apex>").wait_for(state="detached")
    page.locator("#viewer-marks [data-do=undo]").click()
    page.locator("#viewer-marks b", has_text="<apex>").wait_for()
    assert rows.count() == count
    page.locator(".pane[data-pane=coronal] .pane-large").click()
    assert page.locator("#viewer-canvas").is_hidden()
    page.locator("[data-layout=all]").click()
    page.locator("#viewer-more summary").click()
    with page.expect_response("**/over/axial/**") as over:
        page.locator("[data-layer=lungs]").check()
    assert over.value.ok
    assert page.failures == []  # type: ignore[attr-defined]


def test_language_switch_reaches_headings_answers_and_viewer(page: "Page") -> None:
    open_demo(page)
    ask(page, "Interpret the labs")
    page.locator(".answer .sources").wait_for()
    page.locator("#language label", has_text="中文").click()
    page.locator("#tab-work-labs", has_text="化验").wait_for()
    page.locator("#window-lung", has_text="肺窗").wait_for()
    page.locator(".missing", has_text="完整回答所缺的信息").wait_for()
    for tab in ("labs", "drugs", "timeline", "settings"):
        page.locator(f"#tab-work-{tab}").click()
        page.locator(f"#{tab}-host h3").first.wait_for()
    names = ("top", "patient-bar", "talk-tabs", "work-tabs", "chat-head", "labs-host", "drugs-host", "page-footer")
    texts = "\n".join(page.locator(f"#{name}").text_content() or "" for name in names)
    assert not re.search(r"[a-z]+_[a-z]+", texts), "a raw code"
    assert all(words in texts for words in ("肾功能与电解质", "当前用药", "打开病例…"))
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    ask(page, "解读化验结果")
    page.locator(".said", has_text="尿素").wait_for()


def test_stop_keeps_what_was_checked(page: "Page") -> None:
    ask(page, "Interpret the labs until stopped")
    page.locator(".said").first.wait_for()
    page.evaluate(STOPPED)
    page.locator("#stop").click()
    page.locator(".answer .note", has_text="Stopped").wait_for()
    assert page.evaluate("window.stoppedIn") < 1000, "within a second, by the clock of the page"
    assert page.locator(".said").count() == 1
    ask(page, "again")
    page.locator(".answer .sources").nth(1).wait_for()


@pytest.mark.parametrize(("question", "reason"), [("the abdomen", "shows an abdomen"), ("crash", "did not answer")])
def test_a_failure_is_told_and_the_question_stays(page: "Page", question: str, reason: str) -> None:
    ask(page, question)
    page.locator(".box.failure", has_text=reason).wait_for()
    assert page.locator("#question textarea").input_value() == question
    assert page.locator("#send").is_enabled()


def test_files_are_added_to_the_open_case_and_a_wrong_one_changes_nothing(page: "Page", running: Any, tmp_path: Path) -> None:
    open_demo(page)
    wrong, sheet = tmp_path / "holiday.txt", tmp_path / "sheet.csv"
    wrong.write_text("not a case")
    others = [tmp_path / name for name in ("picture.png", "paper.pdf", "letters.zip", "torn.nii.gz")]
    for other in others:
        other.write_bytes(b"no image of a patient")
    sheet.write_text("time,analyte,value,unit\n2025-03-02T08:00:00,creatinine,140,umol/L\n2025-03-01T08:10:00,crp,100,mg/L\n")
    page.locator("#question textarea").fill("half a question")
    page.locator("#open-case").click()
    page.locator("#opening-drop").wait_for()
    page.locator("#opening-input").set_input_files([wrong, *others])
    page.locator("#opening-what .failure", has_text="holiday.txt").wait_for()
    assert page.locator("#opening-what .failure li").count() == 5  # two that are no slices are no series either
    assert page.locator("#opening-add").is_disabled()
    assert page.locator("#opening-new").is_disabled()
    page.locator("#opening-input").set_input_files([sheet])
    page.locator("#opening-what .brought", has_text="2 laboratory values").wait_for()
    assert page.locator("#opening-add").is_disabled()  # C-reactive protein differs
    page.locator("#opening-what fieldset", has_text="C-reactive protein").locator("input").nth(1).check()
    page.locator("#opening-add:enabled").click()
    page.locator("#opening").wait_for(state="hidden")
    page.locator("#patient-bar", has_text="140 µmol/L").filter(has_text="penicillin").wait_for()
    assert page.locator("#question textarea").input_value() == "half a question"
    taken = running.assistant.opened[-1]
    assert taken.is_relative_to(running.files)
    assert taken.stat().st_mode & 0o777 == 0o700
    assert running.assistant.loaded[list(running.assistant.loaded)[-1]].case.patient.age_years == 67
    assert not list(running.files.glob("*/staged-*"))


def test_conversations_come_back_and_can_be_deleted(page: "Page") -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    open_demo(page)
    ask(page, "Interpret the labs")
    page.locator(".answer .sources").wait_for()
    open_demo(page, 1)
    page.locator(".question").wait_for(state="detached")
    page.locator("#talks summary").click()
    page.locator("#talks-list", has_text="No earlier").wait_for()
    open_demo(page, 0)
    page.locator("#talks summary").click()
    page.locator("#talks-list .open").click()
    page.locator(".question", has_text="Interpret the labs").wait_for()
    page.locator("#talks summary").click()
    page.locator("#talks-list .gone").click()
    page.locator(".question").wait_for(state="detached")


def test_two_browsers_never_share(page: "Page", browser: "Browser", running: Any, pages: ModuleType) -> None:
    open_demo(page)
    ask(page, "Interpret the labs")
    page.locator(".answer .sources").wait_for()
    mine = page.evaluate("async () => (await (await fetch('/studies')).json()).studies[0].token")
    context = browser.new_context(viewport=WIDE, locale="en-US")  # type: ignore[arg-type]
    other = pages.opened(context.new_page(), running.url)
    assert other.locator(".question").count() == 0
    assert other.locator("#patient-bar [data-case]").count() == 0
    status = "async path => (await fetch(path)).status"
    assert page.evaluate(status, f"/study/{mine}/plane/axial/3") == 200
    assert other.evaluate(status, f"/study/{mine}/plane/axial/3") == 404
    assert (page.evaluate(status, "/evidence/L-urea@2025-03-01"), other.evaluate(status, "/evidence/L-urea@2025-03-01")) == (200, 404)
    open_demo(other, 1)
    page.reload()
    page.locator("#patient-bar", has_text="demo-cap-01").wait_for()
    assert page.locator(".question").inner_text() == "Interpret the labs"
    cookie = next(c for c in context.cookies() if c["name"] == "medmpt_session")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    context.close()


def test_two_tabs_are_two_patients(page: "Page", running: Any, pages: ModuleType) -> None:
    open_demo(page)
    second = pages.opened(page.context.new_page(), running.url)
    assert second.locator("#patient-bar [data-case]").count() == 0
    open_demo(second, 1)
    ask(page, "Interpret the labs")
    page.locator(".answer .sources").wait_for()
    first_case = page.locator("#patient-bar [data-case]").get_attribute("data-case")
    assert running.assistant.asked_about[-1] == first_case
    assert first_case != second.locator("#patient-bar [data-case]").get_attribute("data-case")
    assert second.locator(".question").count() == 0
    page.reload()
    page.locator("#patient-bar", has_text="demo-cap-01").wait_for()
    assert page.locator(".question").inner_text() == "Interpret the labs"
    assert page.failures == second.failures == []  # type: ignore[attr-defined]


def test_the_tab_is_named_before_anything_is_asked(running: Any) -> None:
    with urllib.request.urlopen(running.url) as reply:
        document = reply.read().decode()
    script = (Path(__file__).resolve().parents[2] / "ui" / "static" / "js" / "page.js").read_text(encoding="utf-8")
    assert document.index(script) < document.index('src="./assets')


def test_a_page_that_shows_another_case_is_refused(page: "Page", running: Any) -> None:
    open_demo(page)
    asked = len(running.assistant.asked_about)
    page.evaluate("document.querySelector('#patient-bar [data-case]').dataset.case = 'another'")
    ask(page, "Interpret the labs")
    page.locator("#notice", has_text="Reload the page").wait_for()
    assert len(running.assistant.asked_about) == asked
    assert page.locator("#question textarea").input_value() == "Interpret the labs"


def test_opening_another_case_clears_the_viewer_before_it_loads(page: "Page") -> None:
    open_demo(page)
    page.evaluate("window.medmpt.clear()")
    blank = """() => {
      return [...document.querySelectorAll(".pane canvas")].every((shown) =>
        !shown.width || shown.getContext("2d").getImageData(0, 0, shown.width, shown.height).data.every((value) => value === 0));
    }"""
    assert page.evaluate(blank)
    assert page.locator("#viewer-keys button, #viewer-marks .mark-words").count() == 0
    assert page.locator(".pane canvas[data-drawn]").count() == 0
    assert page.locator("#viewer-result").inner_text() == ""


def test_phone_does_not_scroll_sideways(browser: "Browser", running: Any, pages: ModuleType) -> None:
    context = browser.new_context(viewport=PHONE, locale="zh-CN")  # type: ignore[arg-type]
    page = pages.opened(context.new_page(), running.url)
    open_demo(page)
    ask(page, "解读化验结果，计算 CURB-65 评分，并说明指南的建议")
    page.locator(".answer .sources").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".said .cite").first.click()
    page.locator("#drawer blockquote").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("Escape")
    for tab, panel in (("patient", "#labs-host table"), ("ct", "#viewer-canvas"), ("chat", ".answer")):
        page.locator(f"#tab-phone-{tab}").click()
        page.locator(panel).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_another_model_is_tried_and_chosen_by_keyboard_for_this_browser_only(
    page: "Page", browser: "Browser", running: Any, pages: ModuleType
) -> None:
    dead = "vllm:m@http://127.0.0.1:9/v1"
    page.locator("#tab-work-settings").click()
    panel = page.locator("#model-toggle")
    assert panel.inner_text().startswith("Model: built-in planner")
    assert panel.get_attribute("aria-expanded") == "false"
    assert page.locator("#model-body").is_hidden()
    panel.focus()
    page.keyboard.press("Enter")
    assert panel.get_attribute("aria-expanded") == "true"
    page.locator("#model-pick input:enabled").first.wait_for()
    page.locator("#model-pick input").first.focus()
    page.keyboard.press("Tab")  # each of Gradio's radio buttons is a group of its own
    page.keyboard.press("Space")
    typed = page.locator("#model-spec").locator("input, textarea")
    typed.fill(dead)
    page.locator("#model-test").focus()
    page.keyboard.press("Enter")
    page.locator("#model-status .failure", has_text="cannot be used: no connection to the server").wait_for()
    typed.press("Enter")
    page.locator("#model-toggle", has_text=dead).wait_for()
    ask(page, "Interpret the labs")
    page.locator(".answer .by", has_text=f"Answered by: {dead}").wait_for()
    assert running.assistant.asked_of[-1] == dead
    context = browser.new_context(viewport=PHONE, locale="zh-CN")  # type: ignore[arg-type]
    other = pages.opened(context.new_page(), running.url)
    other.locator("#tab-phone-patient").click()
    other.locator("#tab-work-settings").click()
    other.locator("#model-toggle", has_text="模型：内置规划器").wait_for()
    other.locator("#model-pick input:enabled").first.wait_for(state="attached")
    other.evaluate(OPEN_AND_PICK)
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    other.locator("#model-spec").locator("input, textarea").fill("openai:m@http://me:secret@127.0.0.1:9/v1")
    other.locator("#model-use").click()
    other.locator("#model-status .failure", has_text="未采用：此处不接受带用户名").wait_for()
    leftover = set(re.findall(r"[A-Za-z]{3,}", other.locator("#model-panel").inner_text()))
    assert leftover == set()
    other.locator("#tab-phone-chat").click()
    ask(other, "解读化验结果")
    other.locator(".answer .by").wait_for()
    assert running.assistant.asked_of[-1] is None
    page.reload()
    page.locator("#tab-work-settings").click()
    page.locator("#model-toggle", has_text=dead).wait_for()
    context.close()


def test_nothing_typed_is_left_in_the_browser(page: "Page") -> None:
    ask(page, "a private question")
    page.locator(".answer .sources").wait_for()
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "private" not in stored
    page.locator("#new-conversation").click()
    page.locator(".question").wait_for(state="detached")
