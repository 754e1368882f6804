// The page's own script: it puts the viewer and the other panels into their places and joins what a click leads to.
import { Report } from "./report/report.js";
import { Summary } from "./report/summary.js";
import { Teaching } from "./teach/teaching.js";
import { Viewer } from "./viewer/viewer.js";
import { Drawer } from "./workplace/drawer.js";
import { Opening } from "./workplace/opening.js";
import { Panels } from "./workplace/panels.js";
import { Tabs } from "./workplace/tabs.js";
import { Talk } from "./workplace/talk.js";
import { banner, fit, shade, splitter, tooltip } from "./workplace/frame.js";

const strings = await (await fetch("/strings.json")).json();
let language = "en";
const say = (key) => strings[language][key] ?? strings.en[key] ?? key;

const panels = new Panels(say);
const tabs = new Tabs((group, name) => {
  if (group === "work") panels.show(name);
  else if (name === "summary") summary.shown();
  else if (name === "report") report.shown();
});
const drawer = new Drawer(say);
const report = new Report(say, drawer);
const summary = new Summary(say, drawer);
const sync = () => document.querySelector("#sync")?.click();
new Talk(say, sync);
new Opening(say, () => { wave += 1; viewer?.wait(); teaching.open(null); }, (told) => (told.ok ? changed(told) : refresh()));
shade();
tooltip();
banner();

let viewer = null;
const teaching = new Teaching(say, () => refresh());

// Gradio draws the page after this script ran and may draw it again: the panels move into their places whenever the places are there.
function host() {
  const place = document.querySelector("#viewer");
  if (place && !viewer) viewer = new Viewer(say);
  if (place && viewer.element.parentElement !== place) place.replaceChildren(viewer.element);
  const desk = document.querySelector("#teaching");
  if (desk && teaching.element.parentElement !== desk) desk.replaceChildren(teaching.element);
  for (const [name, panel] of [["report", report], ["summary", summary]]) {
    const home = document.querySelector(`#${name}-host`);
    if (home && panel.element.parentElement !== home) home.replaceChildren(panel.element);
  }
  for (const toggle of document.querySelectorAll("#model-toggle:not([aria-expanded])")) {
    toggle.setAttribute("aria-controls", "model-body");
    toggle.setAttribute("aria-expanded", "false");
  }
  splitter(say);
  fit();
  tabs.mark();
  return viewer;
}

// The images of a case that was just opened come at once; bar and conversation of the former one are hidden until Gradio has drawn the new ones.
let early = null;
function changed({ case: handle, studies }) {
  window.medmptOpened = handle ?? "";
  document.body.classList.add("changing");
  // Their panels come back into view some requests before their new contents do.
  report.forget();
  summary.open(null);
  early = handle;
  if (handle) viewer?.open({ case: true, studies });
  sync();
}

async function settled() {
  const wanted = window.medmptOpened;
  if (wanted === undefined) return;
  for (let tries = 0; tries < 200 && shownIn() !== wanted && wanted === window.medmptOpened; tries += 1) await new Promise((done) => setTimeout(done, 25));
  if (wanted !== window.medmptOpened || shownIn() !== wanted) return;
  delete window.medmptOpened;
  document.body.classList.remove("changing");
}
const shownIn = () => document.querySelector("#patient-bar [data-case]")?.dataset.case ?? "";

// A case without a CT opens on its laboratory values; the next one with images comes back to them.
let moved = false;
function aside(blind) {
  const { work } = document.body.dataset;
  if (blind && work === "ct") tabs.open("work", "labs");
  else if (!blind && moved && work === "labs") tabs.open("work", "ct");
  moved = Boolean(blind) && (moved || work === "ct");
}

// A newer refresh, or clearing the page, ends one that still waits for the server.
let wave = 0;
let shownCase = null;
async function refresh() {
  const mine = (wave += 1);
  for (let tries = 0; !host() && tries < 1200; tries += 1) await new Promise((done) => setTimeout(done, 50));
  await settled();
  if (mine !== wave) return;
  const opened = shownIn();
  panels.stale(opened !== shownCase);
  const same = opened === shownCase;
  shownCase = opened;
  const drawn = early !== null && early === opened;
  early = null;
  if (!same && !drawn) viewer?.wait();
  const lesson = await fetch("/teaching");
  const view = lesson.ok ? await lesson.json() : null;
  if (mine !== wave) return;
  teaching.open(view);
  if (view && !same) tabs.open("talk", "teach");
  else if (!view && opened && document.body.dataset.talk === "teach" && !same) tabs.open("talk", "chat"); // closed: the list of readings stays
  const reply = await fetch("/studies");
  const listed = reply.ok ? await reply.json() : { case: false, studies: [] };
  if (mine !== wave) return;
  if (!same) aside(opened && !listed.studies.length);
  summary.open(opened);
  report.open({ ...listed, key: opened });
  if (!drawn) await viewer?.open(listed);
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const cite = target?.closest("button.cite");
  const jump = target?.closest("button.jump");
  const row = target?.closest("button[data-row]");
  const drug = target?.closest("button.drug");
  const course = target?.closest("[data-course]");
  const toggle = target?.closest("#model-toggle");
  if (cite) drawer.passage(cite);
  else if (drug) drawer.drug(drug);
  else if (course) drawer.open(course, `/panel/lab/${encodeURIComponent(course.dataset.course)}`);
  else if (row) { tabs.show("labs"); panels.row(row.dataset.row); }
  else if (jump) {
    tabs.show("ct");
    host()?.jump(jump.dataset.study, Number(jump.dataset.slice));
    if (jump.dataset.finding) host()?.heat?.show(jump.dataset.finding, false);
  } else if (target?.closest("#drawer-close")) drawer.close();
  else if (toggle) toggle.setAttribute("aria-expanded", String(toggle.getAttribute("aria-expanded") !== "true"));
});

// Answers change what is cited; Gradio may also draw tabs anew.
let cites = 0;
new MutationObserver(() => {
  host();
  const now = document.querySelectorAll("#chat .fold.sources").length;
  if (now !== cites) { cites = now; panels.fresh.delete("evidence"); panels.show(document.body.dataset.work); }
}).observe(document.body, { childList: true, subtree: true });

window.medmpt = {
  refresh,
  clear() { wave += 1; viewer?.wait(); teaching.open(null); report.forget(); },
  language(code) {
    language = code;
    document.documentElement.lang = code === "zh" ? "zh-CN" : "en";
    host()?.translate();
    teaching.draw();
    report.draw();
    summary.draw();
    panels.stale(false);
    drawer.again();
  },
};
document.documentElement.lang = "en";
// The page may have been told its language before this script was there to hear it.
if (document.querySelector("#language input:checked")?.value === "中文") window.medmpt.language("zh");
refresh();
window.medmptReady?.();
