#!/usr/bin/env python3
"""The CT viewer in a real browser: first slice, scrolling, second click, memory; with `--niivue UMD.js` the same scroll by NiiVue.

`python benchmarks/viewer.py ../shared/data/chest_ct/LIDC-IDRI-0001 --at 316,367,42 [--slices 300] [--niivue niivue.umd.js]`
serves the real page on a free port, uploads the study as a zip, and prints one JSON object. `--slices` stretches the study along z first.
Needs Chromium at /usr/bin/chromium and Playwright.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.loopback import on_loopback

FLAGS = ["--no-sandbox", "--no-first-run", "--disable-background-networking", "--use-gl=angle", "--use-angle=swiftshader"]
FLAGS += ["--enable-unsafe-swiftshader", "--enable-precise-memory-info"]
# Steps through a plane by keys, each as soon as the one before is drawn, or `pause` ms after it was begun; milliseconds per step,
# and how many were drawn at once, because the plane was already there.
SCROLL = """async ([id, steps, pause]) => {
  const canvas = document.getElementById(id);
  const times = [];
  let ready = 0;
  for (let i = 0; i < steps; i += 1) {
    const before = canvas.dataset.drawn;
    const start = performance.now();
    canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
    if (canvas.dataset.drawn !== before) ready += 1;
    while (canvas.dataset.drawn === before && performance.now() - start < 10000) await new Promise(requestAnimationFrame);
    times.push(performance.now() - start);
    if (pause) await new Promise((done) => setTimeout(done, Math.max(0, pause - (performance.now() - start))));
    else await new Promise(requestAnimationFrame);
  }
  return { times, ready };
}"""
NIIVUE = """async (steps) => {
  const start = performance.now();
  const nv = new niivue.Niivue({ show3Dcrosshair: false, dragAndDropEnabled: false });
  await nv.attachTo("gl");
  await nv.loadVolumes([{ url: "/volume.nii" }]);
  nv.setSliceType(nv.sliceTypeAxial);
  nv.drawScene();
  const first = performance.now() - start;
  const times = [];
  for (let i = 0; i < steps; i += 1) {
    const begin = performance.now();
    nv.moveCrosshairInVox(0, 0, -1);
    nv.drawScene();
    nv.gl.finish();
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - begin);
  }
  return { first, times };
}"""


def scrolled(page: Any, canvas: str, steps: int, pause: int = 0) -> dict[str, float]:
    """Steps of a plane, and the share that waited for nothing."""
    found = page.evaluate(SCROLL, [canvas, steps, pause])
    return {**spread(found["times"]), "ready_share": round(found["ready"] / steps, 2)}


def spread(times: list[float]) -> dict[str, float]:
    """Median, 95th percentile, longest, steps over 100 ms, and steps per second."""
    return {
        "over_100_ms": sum(t > 100 for t in times),
        "median_ms": round(float(np.median(times)), 1),
        "p95_ms": round(float(np.percentile(times, 95)), 1),
        "longest_ms": round(max(times), 1),
        "steps_per_s": round(1000 * len(times) / sum(times), 1),
    }


def zipped(study: Path, place: Path, slices: int | None) -> Path:
    """The study as one file to upload: a zip of its files, or a NIfTI of it stretched along z."""
    if slices is None:
        target = place / "study.zip"
        with zipfile.ZipFile(target, "w") as packed:
            for file in sorted(p for p in study.rglob("*") if p.is_file() and p.suffix == ".dcm"):
                packed.write(file, file.name)
        return target
    return as_nifti(study, place / "study.nii", slices)


def as_nifti(study: Path, target: Path, slices: int | None) -> Path:
    """The volume as an uncompressed NIfTI in RAS, stretched to `slices` by linear interpolation."""
    import nibabel

    from medmpt_backend.imaging.load import load_volume

    volume = load_volume(study)
    hu, (dz, dy, dx) = volume.hu, volume.spacing
    if slices is not None:
        at = np.linspace(0, hu.shape[0] - 1, slices)
        low = np.minimum(at.astype(int), hu.shape[0] - 2)
        share = (at - low).astype(np.float32)[:, None, None]
        hu = np.concatenate([((1 - s) * hu[k] + s * hu[k + 1]).astype(np.int16)[None] for k, s in zip(low, share, strict=True)], axis=0)
        dz = dz * (volume.hu.shape[0] - 1) / (slices - 1)
    ras = np.ascontiguousarray(hu.transpose(2, 1, 0)[::-1, ::-1, ::-1])
    image = nibabel.Nifti1Image(ras, np.diag([dx, dy, dz, 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, target)
    return target


def own(browser: Any, upload: Path, at: tuple[int, int, int], data: Path) -> dict[str, Any]:
    """Figures of the page's own viewer."""
    from agent.assistant import Assistant
    from agent.settings import Settings
    from ui.app import build
    from ui.cli.serve import warm_up

    assistant = Assistant.open(Settings(data_dir=data / "data", cache_dir=data / "cache", weights="none", embedder="hashing"))
    warm_up(assistant, None)  # as `medmpt serve` does
    with on_loopback(build(assistant, files=data / "sessions")) as url:
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.set_default_timeout(120_000)
        page.goto(url)
        page.locator("#viewer .viewer").wait_for()
        page.wait_for_timeout(2000)
        page.locator("#open-case").click()
        page.locator("#opening-drop").wait_for()
        start = time.perf_counter()
        page.locator("#opening-input").set_input_files(upload)
        page.locator("#opening-add:enabled").wait_for()
        out: dict[str, Any] = {"chosen_to_preview_s": round(time.perf_counter() - start, 2)}
        start = time.perf_counter()
        page.locator("#opening-add").click()
        page.locator("#viewer-canvas[data-drawn]").wait_for()
        out["bar_hidden_with_first_slice"] = page.evaluate("getComputedStyle(document.querySelector('#patient-bar')).visibility")
        out["opened_to_first_slice_s"] = round(time.perf_counter() - start, 2)
        out["scroll_while_measuring"] = scrolled(page, "viewer-canvas", 40)
        page.locator("#viewer-keys button").first.wait_for()
        out["measured_after_s"] = round(time.perf_counter() - start, 2)
        for plane, name in (("axial", "viewer-canvas"), ("coronal", "viewer-canvas-coronal"), ("sagittal", "viewer-canvas-sagittal")):
            page.evaluate("id => document.getElementById(id).dispatchEvent(new KeyboardEvent('keydown', { key: 'Home' }))", name)
            page.wait_for_timeout(500)
            out[f"scroll_{plane}"] = scrolled(page, name, 100)
            page.evaluate("id => document.getElementById(id).dispatchEvent(new KeyboardEvent('keydown', { key: 'Home' }))", name)
            page.wait_for_timeout(500)
            out[f"scroll_{plane}_20_a_second"] = scrolled(page, name, 120, 50)
        token = page.evaluate("async () => (await (await fetch('/studies')).json()).studies[0].token")
        click = """async ([token, at]) => {
          const start = performance.now();
          const reply = await fetch(`/study/${token}/marks`, { method: "POST", headers: { "content-type": "application/json" },
            body: JSON.stringify({ do: "add", at }) });
          const found = await reply.json();
          return [(performance.now() - start) / 1000, found.status, found.reason];
        }"""
        clicks = [page.evaluate(click, [token, list(at)]) for _ in range(3)]
        out["clicks_s"] = [round(c[0], 2) for c in clicks]
        out["click_says"] = clicks[0][1:]
        out["browser_heap_mb"] = round(page.evaluate("performance.memory.usedJSHeapSize") / 1e6)
        page.close()
    return out


def by_niivue(browser: Any, script: Path, volume: Path) -> dict[str, Any]:
    """The same by NiiVue, which takes the whole volume into the browser."""
    from starlette.applications import Starlette
    from starlette.responses import FileResponse, HTMLResponse
    from starlette.routing import Route

    html = '<canvas id="gl" width="460" height="476"></canvas><script src="/niivue.js"></script>'
    app = Starlette(
        routes=[
            Route("/", lambda _: HTMLResponse(html)),
            Route("/niivue.js", lambda _: FileResponse(script)),
            Route("/volume.nii", lambda _: FileResponse(volume)),
        ]
    )
    with on_loopback(app) as url:
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.set_default_timeout(240_000)
        page.goto(url)
        page.wait_for_function("typeof niivue !== 'undefined'")
        found = page.evaluate(NIIVUE, 40)
        heap = page.evaluate("performance.memory.usedJSHeapSize")
        page.close()
    return {
        "first_slice_s": round(found["first"] / 1000, 2),
        "scroll_axial": spread(found["times"]),
        "browser_heap_mb": round(heap / 1e6),
        "script_bytes": script.stat().st_size,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--at", default="316,367,42", help="voxel of a lesion, x,y,z")
    parser.add_argument("--slices", type=int, help="stretch the study to so many slices")
    parser.add_argument("--niivue", type=Path, help="niivue.umd.js of the npm package @niivue/niivue")
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright

    x, y, z = (int(n) for n in given.at.split(","))
    static = Path("ui/static/js/viewer")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        place = Path(folder)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        out: dict[str, Any] = {"load_before": round(os.getloadavg()[0], 1)}
        out["own"] = own(browser, zipped(given.study, place, given.slices), (x, y, z), place)
        out["own"]["script_bytes"] = sum(f.stat().st_size for f in static.glob("*.js"))
        out["server_peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        if given.niivue:
            out["niivue"] = by_niivue(browser, given.niivue, as_nifti(given.study, place / "volume.nii", given.slices))
        browser.close()
    json.dump(out, sys.stdout, indent=1)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
