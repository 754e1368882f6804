// The viewer's tools: study, windows, tool, planes shown, slab, overlays.
import { LAYERS } from "./paint.js";

export const WINDOWS = { lung: [-600, 1500], mediastinum: [40, 400], bone: [400, 1800] }; // [centre, width] in HU, usual reading windows
// Drawn, not typed: letters of a font look different on every machine.
const icon = (path) => `<svg aria-hidden="true" width="14" height="14" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">${path}</svg>`;
const TOOLS = {
  cross: icon('<path d="M8 1v5M8 10v5M1 8h5M10 8h5"/>'),
  measure: icon('<circle cx="8" cy="8" r="6"/><path d="M4.5 8h7M4.5 6.6v2.8M11.5 6.6v2.8"/>'),
  ruler: icon('<path d="M1.5 11.5l10-10 3 3-10 10zM4.5 8.5l1.5 1.5M7 6l1.5 1.5M9.5 3.5l1.5 1.5"/>'),
  window: icon('<circle cx="8" cy="8" r="6"/><path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor"/>'),
  pan: icon('<path d="M8 1.5v13M1.5 8h13M6.2 3.2L8 1.5l1.8 1.7M6.2 12.8L8 14.5l1.8-1.7M3.2 6.2L1.5 8l1.7 1.8M12.8 6.2L14.5 8l-1.7 1.8"/>'),
};
const LAYOUTS = ["all", "axial", "coronal", "sagittal", "pair"];
const SLABS = [0, 5, 10, 20, 40];
const PROJECTIONS = ["max", "min", "mean"];

export class Bar {
  constructor(viewer) {
    this.viewer = viewer;
    this.element = document.createElement("div");
    this.element.className = "viewer-bars";
    this.element.innerHTML = `<div class="viewer-bar">
        <select id="viewer-study"></select>
        <div id="viewer-windows" class="group" role="group">${group(WINDOWS, "window")}</div>
        <div id="viewer-tools" class="group" role="group">${group(TOOLS, "tool")}</div>
        <div id="viewer-layouts" class="group" role="group">${group(Object.fromEntries(LAYOUTS.map((l) => [l, 1])), "layout")}</div>
        <button type="button" id="viewer-wide" aria-pressed="false"></button>
      </div>
      <details id="viewer-more"><summary></summary><div class="viewer-bar">
        <label><span data-say="slab"></span> <select id="viewer-slab">${SLABS.map((mm) => `<option value="${mm}">${mm ? `${mm} mm` : "–"}</option>`).join("")}</select></label>
        <label><span data-say="projection"></span> <select id="viewer-projection">${PROJECTIONS.map((p) => `<option value="${p}" data-say="${p}"></option>`).join("")}</select></label>
        <label><input type="checkbox" id="viewer-cross" checked> <span data-say="crosshair"></span></label>
        <label id="viewer-link-label"><input type="checkbox" id="viewer-link" checked> <span data-say="link"></span></label>
        <div id="viewer-layers" role="group">${Object.keys(LAYERS).map((l) => `<label><input type="checkbox" data-layer="${l}"> <i class="swatch ${l}"></i><span data-say="layer_${l}"></span></label>`).join("")}</div>
        <label id="viewer-opacity-label"><span data-say="opacity"></span> <input type="range" id="viewer-opacity" min="10" max="100" step="5" value="40"></label>
        <div id="viewer-heat"></div>
        <p id="viewer-over-note" class="note" role="status"></p>
      </div></details>`;
    this.listen();
  }

  find(id) { return this.element.querySelector(`#viewer-${id}`); }

  listen() {
    const { viewer } = this;
    this.element.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.window) viewer.setWindow(WINDOWS[button.dataset.window]);
      else if (button?.dataset.tool) viewer.setTool(button.dataset.tool);
      else if (button?.dataset.layout) viewer.setLayout(button.dataset.layout);
      else if (button?.id === "viewer-wide") viewer.widen();
    });
    this.element.addEventListener("change", (event) => {
      const { target } = event;
      if (target.id === "viewer-study") viewer.choose(Number(target.value));
      else if (target.id === "viewer-slab" || target.id === "viewer-projection") viewer.setSlab(Number(this.find("slab").value), this.find("projection").value);
      else if (target.id === "viewer-cross") { viewer.crosshair = target.checked; viewer.redraw(); }
      else if (target.id === "viewer-link") viewer.setLink(target.checked);
      else if (target.dataset.layer) viewer.setLayer(target.dataset.layer, target.checked);
    });
    this.find("opacity").addEventListener("input", (event) => { viewer.opacity = Number(event.target.value) / 100; viewer.redraw(); });
  }

  // What the state is, so that a screen reader hears it too.
  state() {
    const { viewer } = this;
    const pressed = (kind, name) => {
      for (const button of this.element.querySelectorAll(`[data-${kind}]`)) button.setAttribute("aria-pressed", String(button.dataset[kind] === name));
    };
    pressed("window", Object.keys(WINDOWS).find((name) => String(WINDOWS[name]) === String(viewer.window)) ?? "");
    pressed("tool", viewer.tool);
    pressed("layout", viewer.kind);
    this.element.querySelector('[data-layout="all"]').hidden = Boolean(viewer.phone);
    this.find("wide").setAttribute("aria-pressed", String(viewer.element.classList.contains("wide")));
    const sealed = Boolean(viewer.study?.sealed);
    this.element.querySelector('[data-tool="measure"]').hidden = sealed;
    this.find("layers").hidden = this.find("opacity-label").hidden = sealed;
    const pair = viewer.studies.length > 1;
    this.element.querySelector('[data-layout="pair"]').hidden = !pair;
    this.find("link-label").hidden = viewer.layout !== "pair";
  }

  translate() {
    const { say } = this.viewer;
    for (const node of this.element.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
    for (const button of this.element.querySelectorAll("[data-window], [data-layout]")) button.textContent = say(button.dataset.window ?? `layout_${button.dataset.layout}`);
    for (const button of this.element.querySelectorAll("[data-tool]")) {
      const name = say(`tool_${button.dataset.tool}`);
      button.innerHTML = `${TOOLS[button.dataset.tool]} <span class="tool-name">${name}</span>`;
      button.title = say(`tool_${button.dataset.tool}_hint`);
      button.setAttribute("aria-label", name);
    }
    this.find("more").querySelector("summary").textContent = say("more_tools");
    const wide = this.find("wide");
    wide.innerHTML = `<svg aria-hidden="true" width="12" height="12" viewBox="0 0 12 12" fill="none" stroke="currentColor" stroke-width="1.6"><path d="M1 4V1h3M8 1h3v3M11 8v3H8M4 11H1V8"/></svg> <span class="tool-name">${say("wide")}</span>`;
    wide.title = say("wide");
    wide.setAttribute("aria-label", say("wide"));
    for (const [id, word] of [["windows", "window"], ["tools", "tool"], ["layouts", "planes"], ["layers", "overlays"]]) this.find(id).setAttribute("aria-label", say(word));
    this.find("study").setAttribute("aria-label", say("study"));
  }
}

function group(names, kind) {
  return Object.keys(names).map((name) => `<button type="button" ${kind === "window" ? `id="window-${name}" ` : ""}data-${kind}="${name}"></button>`).join("");
}
