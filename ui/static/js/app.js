// The page's own script: citations open in a drawer, slice links move the viewer, the language follows the switch.
import { Teaching } from "./teach/teaching.js";
import { Viewer } from "./viewer/viewer.js";

const strings = await (await fetch("/strings.json")).json();
let language = "en";
const say = (key) => strings[language][key] ?? strings.en[key] ?? key;

const drawer = document.createElement("aside");
drawer.id = "drawer";
drawer.setAttribute("role", "dialog");
drawer.setAttribute("aria-modal", "false");
drawer.hidden = true;
drawer.innerHTML = '<button type="button" id="drawer-close"></button><div id="drawer-body" tabindex="-1"></div>';
document.body.append(drawer);
let openedFrom = null;

async function openPassage(button) {
  if (!drawer.contains(button)) openedFrom = button;
  const body = drawer.querySelector("#drawer-body");
  drawer.setAttribute("aria-label", say("source"));
  drawer.querySelector("#drawer-close").setAttribute("aria-label", say("close"));
  body.innerHTML = `<p class="note">${say("loading")}</p>`;
  drawer.hidden = false;
  const reply = await fetch(`/evidence/${encodeURIComponent(button.dataset.key)}`);
  if (reply.ok) body.innerHTML = await reply.text();
  else body.textContent = say("failed");
  drawer.scrollTop = 0;
  body.focus({ preventScroll: true });
}

function closePassage() {
  drawer.hidden = true;
  openedFrom?.isConnected && openedFrom.focus();
  openedFrom = null;
}

let viewer = null;
const teaching = new Teaching(say, () => refresh());

// Gradio draws the page after this script ran and may draw it again: the viewer moves into its place whenever the place is there.
function host() {
  const place = document.querySelector("#viewer");
  if (place && !viewer) viewer = new Viewer(say);
  if (place && viewer.element.parentElement !== place) place.replaceChildren(viewer.element);
  const desk = document.querySelector("#teaching");
  for (const toggle of document.querySelectorAll("#model-toggle:not([aria-expanded])")) {
    toggle.setAttribute("aria-controls", "model-body");
    toggle.setAttribute("aria-expanded", "false");
  }
  if (desk && teaching.element.parentElement !== desk) desk.replaceChildren(teaching.element);
  return viewer;
}

async function refresh() {
  for (let tries = 0; !host() && tries < 100; tries += 1) await new Promise((done) => setTimeout(done, 50));
  viewer?.wait();
  const lesson = await fetch("/teaching");
  teaching.open(lesson.ok ? await lesson.json() : null);
  const reply = await fetch("/studies");
  await viewer?.open(reply.ok ? await reply.json() : { case: false, studies: [] });
}

// A new question goes to the top of the conversation and stays there while its answer grows, until the reader scrolls.
let questions = 0;
let pinned = false;
function pin() {
  const shown = document.querySelectorAll("#chat .question");
  if (shown.length > questions) pinned = true;
  questions = shown.length;
  const scroller = document.querySelector("#chat [role=log]");
  const last = shown[questions - 1];
  if (pinned && last && scroller) scroller.scrollTop += last.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 12;
}
new MutationObserver(pin).observe(document.body, { childList: true, subtree: true });
for (const kind of ["wheel", "touchmove", "pointerdown", "keydown"]) {
  document.addEventListener(kind, (event) => { if (event.target.closest?.("#chat")) pinned = false; }, { passive: true });
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const cite = target?.closest("button.cite");
  const jump = target?.closest("button.jump");
  const toggle = target?.closest("#model-toggle");
  if (cite) openPassage(cite);
  else if (jump) {
    host()?.jump(jump.dataset.study, Number(jump.dataset.slice));
    if (jump.dataset.finding) host()?.heat.show(jump.dataset.finding, false);
    document.querySelector("#viewer-column")?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  } else if (target?.closest("#drawer-close")) closePassage();
  else if (toggle) toggle.setAttribute("aria-expanded", String(toggle.getAttribute("aria-expanded") !== "true"));
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !drawer.hidden) closePassage();
});

window.medmpt = {
  refresh,
  clear() { viewer?.wait(); teaching.open(null); },
  language(code) {
    language = code;
    document.documentElement.lang = code === "zh" ? "zh-CN" : "en";
    host()?.translate();
    teaching.draw();
    if (!drawer.hidden && openedFrom) openPassage(openedFrom);
  },
};
document.documentElement.lang = "en";
// The page may have been told its language before this script was there to hear it.
if (document.querySelector("#language input:checked")?.value === "中文") window.medmpt.language("zh");
refresh();
