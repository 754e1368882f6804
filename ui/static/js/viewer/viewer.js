// The CT viewer: planes of the open study with one crosshair, a prior study beside it, and the measured lesions.
// The server cuts planes and slabs out of the volume; windows, zoom and drawing are done here, without WebGL.
import { arranging } from "./arrange.js";
import { Bar, WINDOWS } from "./bar.js";
import { counts, inside, layout, steps } from "./geometry.js";
import { Heat } from "./heat.js";
import { Marks } from "./marks.js";
import { distance } from "./paint.js";
import { Pane } from "./pane.js";
import { Planes } from "./planes.js";

const series = () => ({ study: null, point: [0, 0, 0], marks: [], undoable: false, line: null });

export class Viewer {
  constructor(say) {
    Object.assign(this, { say, studies: [], window: WINDOWS.lung, tool: "cross", layout: "all", slab: 0, projection: "max" });
    Object.assign(this, { layers: new Set(), opacity: 0.4, crosshair: true, linked: true, offset: 0, turn: 0 });
    this.planes = new Planes();
    this.main = series();
    this.other = series();
    this.build();
    this.wait();
    this.translate();
  }

  build() {
    this.element = document.createElement("div");
    this.element.className = "viewer";
    this.bar = new Bar(this);
    this.marks = new Marks(this);
    const rest = document.createElement("div");
    rest.innerHTML = `<div id="viewer-stage"><div class="panes"></div><div class="split" role="separator" tabindex="0" aria-valuemin="20" aria-valuemax="80"></div>
        <span id="viewer-synthetic" hidden></span><p id="viewer-message"></p></div>
      <input id="viewer-slider" type="range" min="0" value="0" step="1">
      <div id="viewer-keys" role="group"></div><p id="viewer-result" role="status"></p><p id="viewer-hint" class="note"></p>`;
    this.element.append(this.bar.element, ...rest.children, this.marks.element);
    this.ui = Object.fromEntries(["stage", "synthetic", "message", "slider", "keys", "result", "hint"].map((id) => [id, this.element.querySelector(`#viewer-${id}`)]));
    this.heat = new Heat(this, this.bar.find("heat"));
    this.panes = [
      new Pane(this, "axial", "axial", this.main), new Pane(this, "coronal", "coronal", this.main),
      new Pane(this, "sagittal", "sagittal", this.main), new Pane(this, "prior", "axial", this.other),
    ];
    this.order = this.panes.map((pane) => pane.name);
    this.grid = this.element.querySelector(".panes");
    this.split = this.element.querySelector(".split");
    this.grid.append(...this.panes.map((pane) => pane.element));
    this.ui.slider.addEventListener("input", () => this.scroll(this.panes[0], Number(this.ui.slider.value) - this.main.point[2]));
    this.splitter();
    new ResizeObserver(() => this.arrange()).observe(this.element);
    document.addEventListener("keydown", (event) => { if (event.key === "Escape" && this.element.classList.contains("wide")) this.widen(); });
  }

  get study() { return this.main.study; }
  get index() { return this.main.point[2]; }

  translate() {
    const { say } = this;
    for (const part of [this.bar, this.marks, this.heat, ...this.panes]) part.translate();
    this.ui.slider.setAttribute("aria-label", say("slice"));
    this.ui.synthetic.textContent = say("synthetic");
    this.ui.keys.setAttribute("aria-label", say("key_slices"));
    this.split.setAttribute("aria-label", say("split"));
    this.keys();
    this.explain();
    this.hint();
    this.redraw();
  }

  hint() { this.ui.hint.textContent = this.study?.shape ? this.say(this.study.sealed ? "ruler" : `tool_${this.tool}_hint`) : ""; }

  // Between two cases: nothing of the old one stays visible.
  wait() {
    this.turn += 1;
    this.planes.clear();
    this.studies = [];
    for (const one of [this.main, this.other]) Object.assign(one, series());
    for (const pane of this.panes) pane.blank();
    Object.assign(this, { refused: null, present: false, keySlices: [], offset: 0, linked: true });
    this.result("");
    this.ui.synthetic.hidden = true;
    this.bar.find("study").replaceChildren();
    this.keys();
    this.marks.chosen = null;
    this.marks.draw();
    this.heat.choose(null);
    this.element.classList.add("empty");
    this.ui.message.textContent = this.say("loading");
  }

  async open({ case: present, studies }) {
    this.present = present;
    this.studies = studies;
    const list = this.bar.find("study");
    list.replaceChildren(...studies.map((study, i) => new Option(study.label, String(i))));
    list.hidden = studies.length < 2;
    const first = Math.max(0, studies.findIndex((study) => !study.prior));
    list.value = String(first);
    await this.choose(first);
  }

  // Geometry of a study, once; null where the answer is about a case that is no longer shown.
  async known(study) {
    const mine = this.turn;
    if (!study.status) {
      const reply = await fetch(`/study/${study.token}/info`);
      if (mine !== this.turn) return null;
      Object.assign(study, reply.ok ? await reply.json() : { status: "error", reason: this.say("failed") });
    }
    return mine === this.turn ? study : null;
  }

  async choose(number) {
    const asked = this.studies[number] ?? null;
    if (!asked) { this.shown(null); return; }
    const study = await this.known(asked);
    if (study) await this.shown(study);
  }

  async shown(study) {
    this.refused = study && !study.shape ? study : null;
    const readable = study?.shape ? study : null;
    for (const pane of this.panes.slice(0, 3)) pane.blank();
    Object.assign(this.main, series(), { study: readable, point: readable ? counts(readable).map((n) => n >> 1) : [0, 0, 0] });
    this.keySlices = [];
    this.element.classList.toggle("empty", !readable);
    this.ui.synthetic.hidden = !study?.synthetic;
    if (readable?.sealed) this.tool = "ruler";
    else if (this.tool === "ruler") this.tool = "cross";
    this.result("");
    this.explain();
    this.hint();
    this.keys();
    this.marks.draw();
    this.heat.choose(readable);
    this.arrange();
    if (!readable) return;
    this.ui.slider.max = readable.shape[0] - 1;
    this.slider();
    await this.panes[0].show();
    if (this.study !== readable || readable.sealed) return;
    if (this.layout === "pair") this.pair();
    await this.marks.change({ do: "list" });
    await this.measuredOnce(readable);
  }

  // Key slices come when the study has been measured, some seconds after its first slice.
  async measuredOnce(study) {
    const reply = await fetch(`/study/${study.token}/keys`);
    const found = reply.ok ? await reply.json() : [];
    if (this.study !== study) return; // another case may have been opened while the answer was read
    this.keySlices = found;
    this.keys();
  }

  // Show one slice of a study by its handle; a link of an answer says which.
  async jump(handle, index) {
    const number = this.studies.findIndex((study) => study.handle === handle);
    if (number >= 0 && this.studies[number] !== this.study) {
      this.bar.find("study").value = String(number);
      await this.choose(number);
    }
    if (this.layout === "coronal" || this.layout === "sagittal") this.setLayout("all");
    this.goTo(this.main, [this.main.point[0], this.main.point[1], index]);
    this.panes[0].canvas.focus({ preventScroll: true });
  }

  explain() {
    const { say } = this;
    if (this.study) this.ui.message.textContent = "";
    else this.ui.message.textContent = this.refused ? this.refused.reason || say("failed") : say(this.present ? "no_study" : "no_case");
  }

  keys() {
    this.ui.keys.replaceChildren(...(this.keySlices ?? []).map((key) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${this.say(key.name).replaceAll("_", " ")} · ${key.index}`;
      button.addEventListener("click", () => { this.goTo(this.main, [this.main.point[0], this.main.point[1], key.index]); this.panes[0].canvas.focus({ preventScroll: true }); });
      return button;
    }));
  }

  result(words) { this.ui.result.textContent = words; }

  // Moving

  goTo(one, point) {
    if (!one.study?.shape) return;
    one.point = inside(one.study, point);
    if (this.layout === "pair" && this.linked) this.follow(one);
    this.slider();
    this.refresh();
  }

  scroll(pane, by) {
    if (!pane.study?.shape || !by) return;
    const { planes } = layout(pane.study, pane.plane);
    const axis = pane.plane === "axial" ? 2 : pane.plane === "coronal" ? 1 : 0;
    const point = [...pane.series.point];
    point[axis] = Math.max(0, Math.min(planes - 1, point[axis] + by));
    this.goTo(pane.series, point);
  }

  // The other study at the same position in millimetres from the head, plus what the reader has set between them.
  follow(one) {
    const two = one === this.main ? this.other : this.main;
    if (!two.study?.shape) return;
    const from = steps(one.study);
    const to = steps(two.study);
    const sign = one === this.main ? 1 : -1;
    const z = (one.point[2] * from[2] + sign * this.offset) / to[2];
    two.point = inside(two.study, [two.point[0], two.point[1], z]);
  }

  setLink(on) {
    this.linked = on;
    if (on && this.other.study?.shape) this.offset = this.other.point[2] * steps(this.other.study)[2] - this.main.point[2] * steps(this.main.study)[2];
  }

  slider() { this.ui.slider.value = this.main.point[2]; }
  refresh() { for (const pane of this.panes) pane.show(); }
  redraw() { for (const pane of this.panes) pane.draw(); }
  go(index) { this.goTo(this.main, [this.main.point[0], this.main.point[1], index]); }
  draw() { this.redraw(); }

  // Showing

  setWindow(window) { this.window = window; this.bar.state(); this.redraw(); }
  preset(number) { this.setWindow(Object.values(WINDOWS)[number]); }
  setTool(tool) { this.tool = tool; this.element.dataset.tool = tool; this.bar.state(); this.hint(); }
  setSlab(mm, projection) { Object.assign(this, { slab: mm, projection }); this.refresh(); }

  async setLayer(name, on) {
    const { study } = this;
    this.layers[on ? "add" : "delete"](name);
    const note = this.bar.find("over-note");
    note.textContent = on ? this.say("overlay_runs") : "";
    this.redraw();
    await Promise.all(this.panes.map((pane) => pane.show()));
    const path = on && this.study === study && this.panes[0].study ? this.panes[0].overAddress() : null;
    note.textContent = path && !this.planes.get(path) && this.panes[0].visible ? this.say("overlay_failed") : "";
  }

  setLayout(name) {
    this.layout = name;
    this.arrange();
    if (name === "pair") this.pair();
  }

  // The study before the one that is shown, beside it.
  async pair() {
    const rest = this.studies.filter((study) => study !== this.study);
    const asked = rest.find((study) => study.prior) ?? rest[0];
    const study = asked && (await this.known(asked));
    if (!study || this.layout !== "pair") return;
    if (!study.shape) { this.result(study.reason ?? this.say("failed")); return; }
    if (this.other.study !== study) {
      this.panes[3].blank();
      Object.assign(this.other, series(), { study, point: counts(study).map((n) => n >> 1) });
      this.offset = 0;
    }
    this.panes[3].entitle();
    this.follow(this.main);
    await this.marks.change({ do: "list" }, this.other);
    this.refresh();
  }

  // Measuring

  async measure(pane, point) {
    const { study } = pane;
    if (!study?.shape || study.sealed) return;
    this.goTo(pane.series, point);
    this.result(this.say("measuring"));
    const mine = (this.asking = (this.asking ?? 0) + 1);
    const found = await this.marks.change({ do: "add", at: pane.series.point }, pane.series);
    if (!found || mine !== this.asking) return;
    const mark = found.marks?.find((one) => one.number === found.number);
    this.result(mark ? [this.summary(mark), found.reason].filter(Boolean).join(" — ") : found.reason ?? found.status);
  }

  summary({ number, lesion }) {
    const { say } = this;
    const parts = [`${say("mark")} ${number}`, `${say("long")} ${lesion.long_mm.toFixed(1)} mm`, `${say("short")} ${lesion.short_mm.toFixed(1)} mm`];
    parts.push(`${say("volume")} ${lesion.volume_mm3.toFixed(0)} mm³`, `${say("density")} ${lesion.mean_hu.toFixed(0)} HU`, say(lesion.type));
    return parts.join(" · ");
  }

  measured() {
    const line = this.main.line ?? this.other.line;
    const study = this.main.line ? this.main.study : this.other.study;
    this.result(line?.to ? `${this.say("distance")} ${distance(line, study).toFixed(1)} mm` : "");
    this.redraw();
  }
}

Object.assign(Viewer.prototype, arranging);
