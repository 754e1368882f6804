"""The page point by point on the real assistant, in both languages: what each says it does, done by hand in a browser (slow).

Which test shows which point stands in docs/workplace.md.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from PIL import ImageColor

from agent.assistant import Assistant
from agent.settings import Settings
from ui.cli.serve import warm_up

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore:.future.no_silent_downcasting. is deprecated", "ignore:The copy keyword is deprecated"),
]
PATIENCE_MS = 90_000
ASKED = {"en-US": "Which antibiotic should be started?", "zh-CN": "应该先用哪种抗生素？"}
WIDTHS = {"en-US": {"width": 1366, "height": 768}, "zh-CN": {"width": 1920, "height": 1080}}
SHEET = "time,analyte,value,unit,low,high\n2025-03-03T08:00:00,potassium,5.2,mmol/L,3.4,5.0\n2025-03-03T08:00:00,crp,88,mg/L,0,8\n"
PRIOR = {
    "schema_version": 1,
    "case_id": "archive",
    "studies": [
        {"id": "ct-0", "path": "old", "date": "2024-06-01", "prior": True, "report": "Findings: Small left pleural effusion. Emphysema."}
    ],
}
# Drops a file on the page as a hand does.
DROP = """([name, text]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([text], name, { type: "text/csv" }));
  for (const kind of ["dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
  }
}"""
# What a task needs stands inside the window, unclipped: from above, no scrolling.
INSIDE = """(selectors) => selectors.filter((selector) => {
  const shown = [...document.querySelectorAll(selector)].find((one) => one.checkVisibility({ visibilityProperty: true }));
  const box = shown?.getBoundingClientRect();
  return !box || box.top < -1 || box.left < -1 || box.bottom > innerHeight + 1 || box.right > innerWidth + 1;
})"""
# Words that their box cuts off (an ellipsis that is meant has a title or can be opened).
CLIPPED = """() => [...document.querySelectorAll("button, th, td, h2, h3, .fact, label, .tag")].filter((one) => {
  if (!one.checkVisibility({ visibilityProperty: true }) || !one.innerText.trim()) return false;
  if (getComputedStyle(one).overflow === "visible") return false;
  return one.scrollWidth > one.clientWidth + 2 && getComputedStyle(one).textOverflow !== "ellipsis";
}).map((one) => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def real(pages: ModuleType, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("points")
    assert pytestconfig.cache is not None
    assistant = Assistant.open(Settings(data_dir=folder / "data", cache_dir=pytestconfig.cache.mkdir("medmpt")))
    warm_up(assistant, None)  # the index is made on a first run
    with pages.served(assistant, folder / "sessions") as page:
        yield page
    assistant.close()


@pytest.fixture(params=list(WIDTHS))
def locale(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(browser: "Browser", real: Any, pages: ModuleType, locale: str) -> Iterator["Page"]:
    context = browser.new_context(viewport=WIDTHS[locale], locale=locale, accept_downloads=True, reduced_motion="reduce")  # type: ignore[arg-type]
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown = pages.opened(context.new_page(), real.url)
    shown.set_default_timeout(PATIENCE_MS)
    yield shown
    assert not shown.failures  # type: ignore[attr-defined]
    assert not shown.outside  # type: ignore[attr-defined]
    context.close()


def _open(page: "Page", case: str) -> None:
    page.locator("#open-case").click()
    page.locator(f"#opening [data-source={case}]").first.click()
    page.locator("#opening").wait_for(state="hidden")
    page.locator("#patient-bar [data-case]", has_text=case).wait_for()


def _ask(page: "Page", question: str) -> None:
    before = page.locator(".answer .acts").count()
    page.locator("#question textarea").fill(question)
    page.locator("#send").click()
    page.wait_for_function("n => document.querySelectorAll('.answer .acts').length > n", arg=before)


def _tab(page: "Page", name: str) -> None:
    page.locator(f"#tab-work-{name}").click()
    page.locator(f"#{name}-host:not([aria-busy]) h3").first.wait_for()


def _taken(page: "Page", selector: str, ending: str) -> Path:
    with page.expect_download() as download:
        page.locator(selector).first.click()
    assert download.value.suggested_filename.endswith(ending)
    return Path(download.value.path())


def test_point_1_patient_bar_and_opening(page: "Page", locale: str) -> None:
    _open(page, "demo-cap-01")
    bar = page.locator("#patient-bar")
    words = bar.inner_text()
    for figure in ("67", "72 kg", "58", "118", "3.4", "39.1", "92/58", "88%"):
        assert figure in words, figure
    assert ("synthetic" if locale == "en-US" else "合成数据") in words
    red = page.locator(".bar .allergy").evaluate("one => getComputedStyle(one).color")
    r, g, b = ImageColor.getrgb(red)[:3]
    assert r > 2 * max(g, b)
    assert bar.locator(".urgent[role=alert] li").count() == 2
    page.mouse.wheel(0, 3000)
    assert page.evaluate(INSIDE, ["#patient-bar .allergy", "#patient-bar .urgent"]) == []
    page.evaluate(DROP, ["sheet.csv", SHEET])
    page.locator("#opening-what .brought", has_text="sheet.csv").wait_for()
    page.locator("#opening-text").fill("Na 138 mmol/L\nTroponin I 12 ng/L (0-26)")
    page.locator("#opening-take").click()
    page.locator("#opening-what .brought", has_text="pasted").wait_for()
    page.locator("#opening-add:enabled").click()
    page.locator("#opening").wait_for(state="hidden")
    page.locator("#patient-bar .allergy").wait_for()
    _tab(page, "labs")
    row = page.locator("#labs-host tr", has_text=re.compile("potassium|血钾|钾")).first
    assert "5.2" in row.inner_text()
    assert "3.4–5" in row.inner_text(), "the sheet's own interval"
    page.locator("#open-case").click()
    page.locator("#opening-none").click()
    page.locator("#patient-bar .bar.empty").wait_for()


def test_point_1_a_bundle_with_a_pregnant_woman(page: "Page", locale: str) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"resource": {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1995-01-01"}},
            {"resource": {"resourceType": "Condition", "subject": {"reference": "Patient/p"}, "code": {"text": "Asthma"}}},
        ],
    }
    page.locator("#open-case").click()
    file = {"name": "bundle.json", "mimeType": "application/json", "buffer": json.dumps(bundle).encode()}
    page.locator("#opening-input").set_input_files([file])  # type: ignore[list-item]
    page.locator("#opening-add:enabled").click()
    page.locator("#opening").wait_for(state="hidden")
    page.locator("#patient-bar .unknown", has_text=re.compile("regnan|妊娠")).wait_for()
    assert ("asthma" if locale == "en-US" else "哮喘") in page.locator("#patient-bar").inner_text().lower()
    _tab(page, "drugs")
    page.locator("#whatif-pregnant").select_option("yes")
    page.locator(".whatif.on .assumed").wait_for()


def test_point_2_answer_and_what_may_be_done_with_it(page: "Page", real: Any, locale: str) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    _open(page, "demo-cap-01")
    _ask(page, ASKED[locale])
    answer = page.locator(".answer").first
    assert answer.locator(".headline .lead").count() == 1
    assert answer.locator(".own").count() == 1
    assert all(fold.get_attribute("open") is None for fold in answer.locator(".folds .fold").all())
    cite = answer.locator(".headline .cite").first
    cite.hover()
    page.locator("#tip q").wait_for()
    assert len(page.locator("#tip q").inner_text()) > 20
    cite.click()
    page.locator("#drawer h2").wait_for()
    assert page.locator("#drawer mark").count(), page.locator("#drawer").inner_html()
    page.keyboard.press("Escape")
    answer.locator("button.drug").first.click()
    page.locator("#drawer h2").wait_for()
    page.keyboard.press("Escape")
    answer.locator("[data-do=copy]").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('[1]')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert ASKED[locale] in copied
    assert re.search(r"^\[1\] \S", copied, re.MULTILINE), "its list of sources"
    answer.locator("[data-do=bad]").click()
    page.locator("#judge textarea").fill(f"dose? {locale}")
    page.locator("#judge [type=submit]").click()
    page.locator("#judge [role=status]").wait_for()
    assert any(word.comment == f"dose? {locale}" and word.verdict == "bad" for word in real.assistant.feedback())
    chip = answer.locator(".next .chip").first
    if chip.count():
        follow = chip.inner_text()
        chip.click()
        page.locator(".question", has_text=follow).wait_for()
        page.wait_for_function("() => document.querySelectorAll('.answer .acts').length === 2")
    turns = page.locator(".answer .acts").count()
    page.locator(".answer").last.locator("[data-do=retry]").click()
    page.wait_for_function("n => document.querySelectorAll('.answer .acts').length > n", arg=turns)
    answer.locator("[data-do=edit]").click()
    box = page.locator("#question textarea")
    assert box.input_value() == ASKED[locale]
    assert box.evaluate("one => one === document.activeElement")
    _ask(page, ASKED[locale] + (" Renal dose?" if locale == "en-US" else "肾功能剂量？"))
    said = page.locator(".question").all_inner_texts()
    _open(page, "demo-ipf-01")
    page.locator(".question").first.wait_for(state="detached")
    _open(page, "demo-cap-01")
    page.locator("#talks summary").click()
    page.locator("#talks-list .open").first.click()
    page.locator(".question", has_text=said[-1]).wait_for()
    page.locator("#talks summary").click()
    while page.locator("#talks-list .gone").count():
        gone = page.locator("#talks-list .gone").count()
        page.locator("#talks-list .gone").first.click()
        page.wait_for_function("n => document.querySelectorAll('#talks-list .gone').length < n", arg=gone)
    page.locator(".question").first.wait_for(state="detached")


def test_point_3_panes_move_zoom_and_show_slabs_and_overlays(page: "Page", locale: str) -> None:
    _open(page, "demo-copd-01")
    canvas = page.locator("#viewer-canvas")
    page.locator("#viewer-canvas[data-drawn]").wait_for()
    page.locator("#viewer-canvas-coronal[data-drawn]").wait_for()
    page.locator(".pane[data-pane=coronal] .pane-name").drag_to(page.locator(".pane[data-pane=axial]"))
    assert page.locator(".pane[data-pane=coronal]").get_attribute("data-place") == "0"
    page.locator(".pane[data-pane=axial] .pane-name").drag_to(page.locator(".pane[data-pane=coronal]"))
    assert page.locator(".pane[data-pane=axial]").get_attribute("data-place") == "0"
    canvas.dblclick()
    assert page.locator(".pane:not([hidden])").count() == 1
    canvas.dblclick()
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    scale = "() => document.querySelector('#viewer-canvas').toDataURL().length"
    plain = page.evaluate(scale)
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    page.wait_for_function(f"was => ({scale})() !== was", arg=plain)
    for tool, moved in (("pan", None), ("window", "lung")):
        before = page.evaluate("() => document.querySelector('#viewer-canvas').toDataURL()")
        page.locator(f"[data-tool={tool}]").click()
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 60, y + 30, steps=4)
        page.mouse.up()
        page.wait_for_function("was => document.querySelector('#viewer-canvas').toDataURL() !== was", arg=before)
        if moved:
            assert page.locator(f"#window-{moved}").get_attribute("aria-pressed") == "false"
    page.keyboard.press("1")
    page.keyboard.press("0")
    page.locator("[data-tool=ruler]").click()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y, steps=4)
    page.mouse.up()
    page.locator("#viewer-result", has_text=re.compile(r"\d+\.\d mm")).wait_for()
    assert re.search(r"-?\d+ HU", page.locator("#viewer-hu").inner_text())
    page.locator("#viewer-more summary").click()
    for projection in ("max", "min"):
        page.locator("#viewer-projection").select_option(projection)
        with page.expect_response(lambda reply, p=projection: "slab=10" in reply.url and f"show={p}" in reply.url) as thick:  # type: ignore[misc]
            page.locator("#viewer-slab").select_option("0")
            page.locator("#viewer-slab").select_option("10")
            canvas.press("ArrowDown")
        assert thick.value.ok
    page.locator("#viewer-slab").select_option("0")
    for layer in ("lungs", "emphysema", "effusion", "lesions"):
        with page.expect_response(re.compile(r"/over/axial/")) as over:
            page.locator(f"[data-layer={layer}]").check()
        assert over.value.ok
    before = page.evaluate("() => document.querySelector('#viewer-canvas').toDataURL()")
    page.locator("#viewer-opacity").fill("90")
    page.wait_for_function("was => document.querySelector('#viewer-canvas').toDataURL() !== was", arg=before)


def test_point_4_labs_drugs_timeline_evidence(page: "Page", locale: str) -> None:
    _open(page, "demo-cap-01")
    _tab(page, "labs")
    assert page.locator("#labs-host .flag.high").count() > 3
    assert page.locator("#labs-host td svg").count() > 10
    page.locator("#labs-host tr", has=page.locator("[data-course]")).locator("button.course").first.press("Enter")
    page.locator("#drawer svg.course").wait_for()
    assert page.locator("#drawer tbody tr").count() >= 2, "the drawing as a table"
    page.keyboard.press("Escape")
    page.locator("#labs-host details.pattern summary").first.click()
    assert page.locator("#labs-host details.pattern[open] .note").count() == 2
    _tab(page, "drugs")
    assert page.locator(".medicine .dose").count() == 3
    assert page.locator(".regimen").count() >= 1
    plain = page.locator("#drugs-host").inner_text()
    page.locator("#whatif-egfr").fill("20")
    page.locator("#whatif-egfr").dispatch_event("change")
    page.locator(".whatif.on .assumed").wait_for()
    assert page.locator("#whatif-egfr-shown").inner_text() == "20"
    page.locator("#whatif-allergy").select_option("cephalosporin")
    page.wait_for_function(
        "() => document.querySelector('#whatif-allergy').value === 'cephalosporin' && document.querySelector('.assumed')"
    )
    supposed = page.locator(".regimen").first.inner_text()
    assert supposed not in plain
    page.locator("#whatif-reset").click()
    page.locator(".whatif:not(.on)").wait_for()
    assert page.locator("#drugs-host").inner_text() == plain
    page.locator("#rank-condition").select_option(index=1)
    page.locator(".candidates .candidate").first.wait_for()
    assert page.locator(".candidate .note").count() > 0
    page.locator("svg.graph").wait_for()
    page.locator(".neighbours .fold summary").click()
    assert page.locator(".neighbours table tbody tr").count() >= 1
    _tab(page, "timeline")
    assert {one.get_attribute("data-lane") for one in page.locator(".moment").all()} == {"studies", "labs", "vitals", "treatments", "notes"}
    page.locator(".lanes input[value=labs]").uncheck()
    assert not page.locator('.moment[data-lane="labs"]').first.is_visible()
    _ask(page, ASKED[locale])
    page.locator("#tab-work-evidence").click()
    page.locator("#evidence-host .cited li").first.wait_for()
    page.locator("#evidence-find").fill("INR")
    page.wait_for_function("() => [...document.querySelectorAll('#evidence-host .cited li')].some((one) => one.hidden)")
    assert page.locator("#evidence-host .cited li:visible").count() >= 1


def test_points_5_and_6_report_to_files_and_summary(page: "Page", locale: str) -> None:
    _open(page, "demo-cap-01")
    page.locator("#viewer-canvas[data-drawn]").wait_for()
    page.locator("#open-case").click()
    record = {"name": "archive.json", "mimeType": "application/json", "buffer": json.dumps(PRIOR).encode()}
    page.locator("#opening-input").set_input_files([record])  # type: ignore[list-item]
    page.locator("#opening-add:enabled").click()
    page.locator("#opening").wait_for(state="hidden")
    page.locator("#tab-talk-report").click()
    page.locator("#report-host [data-act=draft]").click()
    page.locator(".report-prior tr").first.wait_for()
    assert "2024-06-01" in page.locator(".report-prior h3").inner_text()
    draft = page.locator("#report-host").inner_text()
    assert "lower and lower" not in draft
    assert not re.search(r"^\s*\d+[.、]\s*$", draft, re.MULTILINE)
    rows = page.locator(".report-section .sentence")
    first = rows.first
    first.locator("[data-act=edit]").click()
    page.locator(".report-write textarea").fill("Edited by hand.")
    page.keyboard.press("Control+Enter")
    page.locator(".sentence.edited ins", has_text="Edited by hand.").wait_for()
    assert page.locator(".sentence.edited del").count() == 1, "tracked"
    page.locator("[data-act=tracked]").click()
    assert page.locator(".sentence.edited del").count() == 0
    _strike_open_sizes(page)
    unsigned = _taken(page, "#report-host [data-act=export][data-form=md]", ".md").read_text(encoding="utf-8")
    assert re.search("PRELIMINARY|初步", unsigned)
    while left := page.locator("[data-act=accept-section]").count():
        page.locator("[data-act=accept-section]").first.click()
        page.wait_for_function("n => document.querySelectorAll('[data-act=accept-section]').length < n", arg=left)
    sr = pydicom.dcmread(_taken(page, "#report-host [data-act=export][data-form=sr]", ".dcm"))
    assert (sr.CompletionFlag, sr.VerificationFlag) == ("PARTIAL", "UNVERIFIED")
    page.locator("[data-act=sign]").click()
    page.locator("#signing-name").fill("Dr Ada Reader")
    page.locator("#signing-read").check()
    page.locator("#signing-do").click()
    page.locator(".report-state.signed", has_text="Dr Ada Reader").wait_for()
    assert page.locator(".report-history li").count() > 2
    for form, ending, head in (("pdf", ".pdf", b"%PDF"), ("docx", ".docx", b"PK"), ("fhir", ".json", b"{")):
        assert _taken(page, f"#report-host [data-act=export][data-form={form}]", ending).read_bytes().startswith(head), form
    sr = pydicom.dcmread(_taken(page, "#report-host [data-act=export][data-form=sr]", ".dcm"))
    assert (sr.CompletionFlag, sr.VerificationFlag) == ("COMPLETE", "VERIFIED")
    page.locator("#tab-talk-summary").click()
    for audience in ("handover", "tumour_board", "ward"):
        page.locator(f".summary [data-for={audience}]").click()
        page.locator(f'.summary [data-for={audience}][aria-pressed="true"]').wait_for()
        page.locator(".summary-section li").first.wait_for()
    lines = page.locator(".summary-section li:not(.note)")
    assert all(line.locator("button.source").count() for line in lines.all()), "every line opens its source"
    page.locator(".summary-section button.source").first.click()
    page.locator("#drawer h2").wait_for()
    page.keyboard.press("Escape")
    assert _taken(page, "#summary-host [data-act=export][data-form=docx]", ".docx").read_bytes().startswith(b"PK")


def _strike_open_sizes(page: "Page") -> None:
    """A size that nothing measured keeps the report from being signed."""
    while page.locator(".sentence:not(.struck)", has_text="__").count():
        left = page.locator(".sentence:not(.struck)", has_text="__").count()
        page.locator(".sentence:not(.struck)", has_text="__").first.locator("[data-act=strike]").click()
        page.wait_for_function(
            "n => [...document.querySelectorAll('.sentence:not(.struck)')].filter((one) => one.innerText.includes('__')).length < n",
            arg=left,
        )


@pytest.mark.parametrize("alone", [False, True])
def test_point_7_a_reading_with_and_without_the_machine(page: "Page", locale: str, alone: bool) -> None:
    page.locator("#tab-talk-teach").click()
    page.locator("#teaching [data-do=next]").click()
    page.locator("#teach-finding").wait_for()
    page.locator("#viewer-canvas[data-drawn]").wait_for()
    page.locator("#teach-finding").select_option("lung_nodule")
    page.locator("#teach-side").select_option("left")
    page.locator("#teach-size").fill("9")
    page.locator("#teach-confidence").fill("5")
    assert page.locator("#teach-sure").inner_text() == "5"
    page.locator("#teaching [data-do=add]").click()
    page.locator("#teach-entries li").wait_for()
    page.locator("#teaching [data-do=hint]").click()
    page.locator(".teach-hints li").first.wait_for()
    page.reload()
    page.locator("#teach-entries li", has_text="9 mm").wait_for()
    if alone:
        page.locator("#teach-alone").check()
    page.locator("#teaching [data-do=ask]").click()
    page.locator("#teaching [data-do=commit]").click()
    after = page.locator("#teaching [data-do=decide], #teaching [data-do=next]").first
    after.wait_for()
    if alone:
        assert page.locator("#teaching [data-do=decide]").count() == 0, "no machine in a test without it"
    elif page.locator("#teaching [data-do=decide]").count():
        assert "25" in page.locator("#teaching").inner_text(), "the rate of planted errors is stated"
        page.locator("#teaching [data-do=decide]").click()
    page.locator("#teaching tr:is(.hit, .miss, .overcall, .wrong_side, .size_off)").first.wait_for()
    page.locator("#tab-talk-chat").click()
    _ask(page, "What does the CT show?" if locale == "en-US" else "CT 显示什么？")
    assert len(page.locator(".answer").last.inner_text()) > 60
    page.locator("#open-case").click()
    page.locator("#opening-none").click()
    page.locator("#tab-talk-teach").click()
    page.locator("#teaching table td", has_text=re.compile(r"\d{4}-\d\d-\d\d")).first.wait_for()  # when it comes again
    sheet = _taken(page, "#teaching a[download]", ".csv").read_text(encoding="utf-8-sig")
    assert sheet.startswith("trainee") or "finding" in sheet.splitlines()[0]
    assert len(sheet.splitlines()) > 1


def test_point_8_settings_take_and_give_back_a_document(page: "Page", locale: str) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    _tab(page, "settings")
    rows = page.locator("#settings-host [data-doc]")
    before = rows.count()
    text = f"# Local pathway {locale}\n\nOn our ward lactate is repeated after two hours in suspected sepsis, and outreach is called.\n"
    file = {"name": f"pathway-{locale}.md", "mimeType": "text/markdown", "buffer": text.encode()}
    page.locator("#docs-input").set_input_files([file])  # type: ignore[list-item]
    page.wait_for_function("n => document.querySelectorAll('#settings-host [data-doc]').length > n", arg=before)
    page.locator("#settings-host .settings-row", has_text=locale).locator("[data-doc]").click()
    page.wait_for_function("n => document.querySelectorAll('#settings-host [data-doc]').length === n", arg=before)
    assert page.locator("#settings-host code", has_text="medmpt").count() >= 1, "a command that brings what is missing"
    assert page.locator(".limits-list li").count() == 4
    wrong = {"name": "song.mp3", "mimeType": "audio/mpeg", "buffer": b"no document"}
    page.locator("#docs-input").set_input_files([wrong])  # type: ignore[list-item]
    page.wait_for_function("() => document.querySelector('#docs-state').textContent.includes('song.mp3')")
    page.wait_for_timeout(500)
    if locale == "zh-CN":
        leftover = re.findall(r"[A-Za-z]{5,}", page.locator("#docs-state").inner_text())
        assert not {word.lower() for word in leftover} - {"markdown"}, leftover


@pytest.mark.parametrize("width", [390, 1366, 1920, 2560])
def test_at_every_width_the_task_stands_inside_the_window(
    browser: "Browser", real: Any, pages: ModuleType, locale: str, width: int
) -> None:
    height = {390: 844, 1366: 768, 1920: 1080, 2560: 1440}[width]
    context = browser.new_context(viewport={"width": width, "height": height}, locale=locale)
    page = pages.opened(context.new_page(), real.url)
    page.set_default_timeout(PATIENCE_MS)
    _open(page, "demo-cap-01")
    _ask(page, ASKED[locale])
    wanted = ["#patient-bar .allergy", "#patient-bar .urgent", ".answer .headline .lead", "#question textarea", "#send", "#open-case"]
    assert page.evaluate(INSIDE, wanted) == []
    assert page.evaluate(CLIPPED) == []
    if width == 390:
        page.locator("#tab-phone-ct").click()
    page.locator("#viewer-canvas[data-drawn]").wait_for()
    page.locator("#viewer-keys button").first.wait_for()
    assert page.evaluate(INSIDE, ["#viewer-canvas", "#viewer-slider", "#window-lung", "[data-tool=measure]"]) == []
    line = page.evaluate("() => document.querySelector('.answer .said').getBoundingClientRect().width")
    assert line <= 900
    for talk in ("report", "summary", "teach"):
        if width == 390:
            page.locator("#tab-phone-chat").click()
        page.locator(f"#tab-talk-{talk}").click()
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CLIPPED) == [], talk
    assert page.failures == []  # type: ignore[attr-defined]
    context.close()
