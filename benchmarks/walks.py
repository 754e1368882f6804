#!/usr/bin/env python3
"""Six people at the page, step by step in a real browser, timed: `python benchmarks/walks.py --scan FOLDER --bundle FHIR.json`.

Ward doctor, radiologist (own zip, scroll, measure, draft, edit, sign, files), trainee, Chinese-speaking physician, pharmacist (FHIR, CSV
and CT in one case), phone. Each walk has a browser of its own on one server of the real assistant with an empty data folder. A step that
does not come to its end within its patience is a stumble and ends its walk. Prints one JSON object: seconds of every step, stumbles, script
errors, requests that left the host. `--only NAME` takes some of the walks, `--shots FOLDER` a picture after every step.
"""

import argparse
import json
import tempfile
import time
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page, sync_playwright

from agent.assistant import Assistant
from agent.settings import Settings
from benchmarks.loopback import on_loopback
from benchmarks.viewer import FLAGS
from ui.app import build
from ui.cli.serve import warm_up

PATIENCE_MS = 60_000
WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
SHEET = "time,analyte,value,unit\n2026-11-20T08:00:00,creatinine,180,umol/L\n2026-11-20T08:00:00,potassium,5.6,mmol/L\n"


class Stumble(Exception):
    """A step that did not come to its end, or ended in the wrong place."""


@dataclass
class Walk:
    """One person's way through the page."""

    page: Page
    name: str
    shots: Path | None
    steps: dict[str, float] = field(default_factory=dict)
    stumble: str | None = None

    def step(self, name: str, act: Callable[[], object]) -> None:
        """Do and time one step.

        Raises:
            Stumble: It failed; the reason in one line.
        """
        start = time.perf_counter()
        try:
            act()
        except (Error, AssertionError) as wrong:
            raise Stumble(f"{name}: {str(wrong).splitlines()[0][:200] if str(wrong) else type(wrong).__name__}") from wrong
        finally:
            self.steps[name] = round(time.perf_counter() - start, 2)
            if self.shots is not None:
                self.page.screenshot(path=self.shots / f"{self.name}-{len(self.steps):02}-{name.replace(' ', '-')}.png")

    def ask(self, question: str) -> None:
        """Type a question, send it, wait until the answer with its actions stands."""
        before = self.page.locator(".answer .acts").count()
        self.page.locator("#question textarea").fill(question)
        self.page.locator("#send").click()
        self.page.wait_for_function("n => document.querySelectorAll('.answer .acts').length > n", arg=before)

    def seen(self, selector: str) -> None:
        """Wait until the first such element stands inside the window, without scrolling."""
        inside = """selector => {
          const box = document.querySelector(selector)?.getBoundingClientRect();
          if (!box || !box.width) return false;
          const [down, across] = [box.top + Math.min(box.height, 40), box.left + Math.min(box.width, 60)];
          return box.top >= -1 && box.left >= -1 && down <= innerHeight + 1 && across <= innerWidth + 1;
        }"""
        self.page.wait_for_function(inside, arg=selector, timeout=4000)

    def take(self, selector: str, ending: str) -> Path:
        """Click something that downloads a file."""
        with self.page.expect_download() as download:
            self.page.locator(selector).click()
        assert download.value.suggested_filename.endswith(ending), download.value.suggested_filename
        path = Path(download.value.path())
        assert path.stat().st_size > 400, "the file is empty"
        return path

    def demo(self, name: str) -> None:
        """Open a demo case by its id and wait for its first slice."""
        self.page.locator("#open-case").click()
        self.page.locator(f"#opening [data-source={name}]").click()
        self.page.locator("#opening").wait_for(state="hidden")
        self.page.locator("#patient-bar [data-case]").wait_for()

    def upload(self, *files: Path) -> None:
        """Take in own files and open what they make."""
        self.page.locator("#open-case").click()
        self.page.locator("#opening-drop").wait_for()
        self.page.locator("#opening-input").set_input_files(list(files))
        self.page.locator("#opening-add:enabled").click()
        self.page.locator("#opening").wait_for(state="hidden")

    def drawn(self) -> None:
        """Wait for a slice of the CT."""
        self.page.locator("#viewer-canvas[data-drawn]").wait_for()


def ward_doctor(walk: Walk, _: argparse.Namespace, __: Path) -> None:
    """Round: who is it, what is urgent, which drug, why, one page to take along."""
    page = walk.page
    walk.step("open the case", lambda: walk.demo("demo-cap-01"))
    walk.step("allergy and vitals in sight", lambda: (walk.seen("#patient-bar"), walk.seen("#question textarea")))
    walk.step("which antibiotic", lambda: walk.ask("Which antibiotic should be started?"))
    walk.step("open a citation", lambda: (page.locator(".said .cite").first.click(), page.locator("#drawer").wait_for()))
    page.keyboard.press("Escape")
    walk.step("why", lambda: walk.ask("why?"))
    walk.step("labs", lambda: (page.locator("#tab-work-labs").click(), page.locator("#labs-host:not([aria-busy]) h3").first.wait_for()))
    walk.step("summary", lambda: (page.locator("#tab-talk-summary").click(), page.locator(".summary-section li").first.wait_for()))
    walk.step("summary as PDF", lambda: walk.take("#summary-host [data-act=export][data-form=pdf]", ".pdf"))


def radiologist(walk: Walk, args: argparse.Namespace, place: Path) -> None:
    """Own scan to signed report and its files."""
    page = walk.page
    archive = place / "scan.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted(args.scan.rglob("*.dcm")):
            packed.write(file, file.name)
    walk.step("own zip opens", lambda: walk.upload(archive))
    walk.step("first slice", walk.drawn)
    walk.step("scroll", lambda: _scroll(page, args.at[2]))
    walk.step("measure", lambda: _measure(page, args.at[0], args.at[1]))
    walk.step("draft", lambda: _drafted(page))
    walk.step("edit", lambda: _edited(page))
    walk.step("accept", lambda: _accepted(page))
    walk.step("sign", lambda: _signed(page))
    for form, ending in (("pdf", ".pdf"), ("docx", ".docx"), ("sr", ".dcm"), ("fhir", ".json"), ("md", ".md")):
        choice = f"#report-host [data-act=export][data-form={form}]"
        walk.step(f"file {form}", lambda choice=choice, ending=ending: walk.take(choice, ending))  # type: ignore[misc]
    walk.step("is it malignant", lambda: (page.locator("#tab-talk-chat").click(), walk.ask("Is the nodule I marked malignant?")))


def _scroll(page: Page, row: int) -> None:
    page.locator("#viewer-slider").fill(str(row))
    page.locator(f'#viewer-canvas[data-drawn="{row}"]').wait_for()


def _measure(page: Page, x: int, y: int) -> None:
    box = page.locator("#viewer-canvas").bounding_box()
    assert box is not None
    side = min(box["width"], box["height"])
    page.locator("[data-tool=measure]").click()
    at = {"x": box["width"] / 2 + ((x + 0.5) / 512 - 0.5) * side, "y": box["height"] / 2 + ((y + 0.5) / 512 - 0.5) * side}
    page.locator("#viewer-canvas").click(position=at)  # type: ignore[arg-type]
    page.locator("#viewer-result", has_text="long axis").wait_for()


def _drafted(page: Page) -> None:
    page.locator("#tab-talk-report").click()
    page.locator("#report-host [data-act=draft]").click()
    page.locator(".report-section[data-section=impression] .sentence .origin.mark").wait_for()  # what was measured is not forgotten


def _edited(page: Page) -> None:
    page.locator(".report-section .sentence [data-act=edit]").first.click()
    page.locator(".report-write textarea").fill("Chest CT without intravenous contrast.")
    page.keyboard.press("Control+Enter")
    page.locator(".sentence.edited ins").wait_for()


def _accepted(page: Page) -> None:
    while left := page.locator("[data-act=accept-section]").count():
        page.locator("[data-act=accept-section]").first.click()
        page.wait_for_function("n => document.querySelectorAll('[data-act=accept-section]').length < n", arg=left)


def _signed(page: Page) -> None:
    page.locator("[data-act=sign]").click()
    page.locator("#signing-name").fill("Dr A. Reader")
    page.locator("#signing-read").check()
    page.locator("#signing-do").click()
    page.locator(".report-state.signed").wait_for()


def trainee(walk: Walk, _: argparse.Namespace, __: Path) -> None:
    """A teaching case: look, hint, commit, see the machine, decide, learn, next; the reading survives a reload."""
    page = walk.page
    walk.step("teach", lambda: (page.locator("#tab-talk-teach").click(), page.locator("#teaching [data-do=next]").click()))
    walk.step("first slice", walk.drawn)
    walk.step("hint", lambda: (page.locator("#teaching [data-do=hint]").click(), page.locator(".teach-hints li").first.wait_for()))
    walk.step("add a finding", lambda: (_pick(page), page.locator("#teach-entries li").wait_for()))
    walk.step(
        "reload keeps it", lambda: (page.reload(), page.locator("#tab-talk-teach").click(), page.locator("#teach-entries li").wait_for())
    )
    walk.step(
        "commit",
        lambda: (page.locator("#teaching [data-do=ask]").click(), page.locator("#teaching [data-do=commit]").click(), _either(page)),
    )
    if page.locator("#teaching [data-do=decide]").count():
        walk.step(
            "decide", lambda: (page.locator("#teaching [data-do=decide]").click(), page.locator("#teaching [data-do=next]").wait_for())
        )
    walk.step("ask about it", lambda: (page.locator("#tab-talk-chat").click(), walk.ask("What does the CT show?")))
    walk.step(
        "next",
        lambda: (
            page.locator("#tab-talk-teach").click(),
            page.locator("#teaching [data-do=next]").click(),
            page.locator("#teach-finding").wait_for(),
        ),
    )


def _pick(page: Page) -> None:
    page.locator("#teach-finding").select_option(index=1)
    if page.locator("#teach-size").is_visible():
        page.locator("#teach-size").fill("12")
    page.locator("#teaching [data-do=add]").click()


def _either(page: Page) -> None:
    page.locator("#teaching [data-do=decide], #teaching [data-do=next]").first.wait_for()


def chinese_physician(walk: Walk, _: argparse.Namespace, __: Path) -> None:
    """The whole page in Chinese."""
    page = walk.page
    walk.step("page in Chinese", lambda: page.locator("#tab-talk-chat", has_text=WORDS["chat"]).wait_for())
    walk.step("open the case", lambda: walk.demo("demo-copd-01"))
    walk.step("bar in sight", lambda: walk.seen("#patient-bar"))
    walk.step("ask", lambda: walk.ask(WORDS["ventilation"]))
    walk.step("and the left", lambda: walk.ask(WORDS["duration"]))
    walk.step("labs", lambda: (page.locator("#tab-work-labs").click(), page.locator("#labs-host:not([aria-busy]) h3").first.wait_for()))
    walk.step("drugs", lambda: (page.locator("#tab-work-drugs").click(), page.locator("#drugs-host:not([aria-busy]) h3").first.wait_for()))
    walk.step("summary", lambda: (page.locator("#tab-talk-summary").click(), page.locator(".summary-section li").first.wait_for()))


def pharmacist(walk: Walk, args: argparse.Namespace, place: Path) -> None:
    """FHIR bundle, sheet and CT become one case; drugs are checked, a kidney is supposed."""
    page = walk.page
    sheet, archive = place / "labs.csv", place / "scan2.zip"
    sheet.write_text(SHEET, encoding="utf-8")
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted(args.scan.rglob("*.dcm")):
            packed.write(file, file.name)
    walk.step("bundle opens", lambda: walk.upload(args.bundle))
    walk.step("sheet and CT are added", lambda: (walk.upload(sheet, archive), page.locator("#patient-bar", has_text="180").wait_for()))
    walk.step("first slice", walk.drawn)
    walk.step("drugs", lambda: (page.locator("#tab-work-drugs").click(), page.locator("#drugs-host:not([aria-busy]) h3").first.wait_for()))
    walk.step("interactions", lambda: walk.ask("Do any of the medicines interact, and which need another dose at this renal function?"))
    walk.step("what if", lambda: walk.ask("And if the eGFR were 25?"))


def phone(walk: Walk, _: argparse.Namespace, __: Path) -> None:
    """390 px: three tabs, nothing sideways."""
    page = walk.page
    walk.step("open the case", lambda: walk.demo("demo-ipf-01"))
    walk.step(
        "ask", lambda: (page.locator("#tab-phone-chat").click(), walk.ask("What are the first steps in hypercapnic COPD exacerbation?"))
    )
    for tab in ("patient", "ct", "chat"):
        walk.step(f"tab {tab}", lambda tab=tab: (page.locator(f"#tab-phone-{tab}").click(), _narrow(page)))  # type: ignore[misc]
    walk.step("CT draws", lambda: (page.locator("#tab-phone-ct").click(), walk.drawn(), walk.seen("#viewer-canvas")))
    walk.step("back to the answer", lambda: (page.locator("#tab-phone-chat").click(), walk.seen("#question textarea")))


def _narrow(page: Page) -> None:
    page.wait_for_timeout(300)
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 1, f"the page is {wide} px wider than the window"


WALKS: dict[str, tuple[Callable[[Walk, argparse.Namespace, Path], None], dict[str, Any]]] = {
    "ward doctor": (ward_doctor, {"viewport": {"width": 1366, "height": 768}, "locale": "en-US"}),
    "radiologist": (radiologist, {"viewport": {"width": 1920, "height": 1080}, "locale": "en-US"}),
    "trainee": (trainee, {"viewport": {"width": 1366, "height": 768}, "locale": "en-US"}),
    "chinese physician": (chinese_physician, {"viewport": {"width": 1366, "height": 768}, "locale": "zh-CN"}),
    "pharmacist": (pharmacist, {"viewport": {"width": 2560, "height": 1440}, "locale": "en-US"}),
    "phone": (phone, {"viewport": {"width": 390, "height": 844}, "locale": "en-US", "has_touch": True, "is_mobile": True}),
}


def walked(browser: Browser, url: str, name: str, args: argparse.Namespace, place: Path) -> dict[str, object]:
    """One walk from the empty page to its end or its first stumble."""
    go, context = WALKS[name]
    window = browser.new_context(accept_downloads=True, **context)
    page = window.new_page()
    page.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    left: list[str] = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("response", lambda r: errors.append(f"{r.status} {r.url.removeprefix(url)[:80]}") if r.status >= 400 else None)
    page.on("request", lambda r: None if r.url.startswith((url, "data:", "blob:")) else left.append(r.url))
    walk = Walk(page, name.replace(" ", "-"), args.shots)
    try:
        walk.step("page", lambda: (page.goto(url), page.locator("#question textarea").wait_for()))
        go(walk, args, place)
    except (Stumble, Error) as stumble:  # an Error of the picture: the tab crashed
        walk.stumble = str(stumble).splitlines()[0]
    window.close()
    return {
        "seconds": round(sum(walk.steps.values()), 1),
        "stumble": walk.stumble,
        "steps": walk.steps,
        "errors": errors,
        "left_the_host": left,
    }


def main() -> None:
    """Read the arguments, serve, walk, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scan", type=Path, required=True, help="folder of a chest CT")
    parser.add_argument("--at", type=lambda t: tuple(int(v) for v in t.split(",")), default=(316, 367, 42), help="x,y,slice of a lesion")
    parser.add_argument("--bundle", type=Path, required=True, help="a FHIR R4 bundle")
    parser.add_argument("--only", action="append", choices=list(WALKS))
    parser.add_argument("--shots", type=Path)
    args = parser.parse_args()
    if args.shots is not None:
        args.shots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        place = Path(folder)
        assistant = Assistant.open(replace(Settings.from_environment(), data_dir=place / "data"))
        warm_up(assistant, None)
        with on_loopback(build(assistant, files=place / "sessions")) as url:
            browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            out = {name: walked(browser, url, name, args, place) for name in args.only or WALKS}
            browser.close()
        assistant.close()
    print(json.dumps({"walks": out, "stumbles": sum(w["stumble"] is not None for w in out.values())}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
