// One pane: a plane of a study, drawn at the screen's resolution with what lies over it.
import { PLANES, clamp, layout, voxel } from "./geometry.js";
import { cross, grey, mark, ruler, scale, tint } from "./paint.js";
import { listen } from "./gestures.js";

const AHEAD = 16; // neighbours kept ready in the direction of scrolling
const BEHIND = 3;

export class Pane {
  constructor(viewer, name, plane, series) {
    Object.assign(this, { viewer, name, plane, series, zoom: 1, pan: [0, 0], direction: 1 });
    this.picture = document.createElement("canvas");
    this.over = document.createElement("canvas");
    this.element = document.createElement("div");
    this.element.className = "pane";
    this.element.dataset.pane = name;
    const id = name === "axial" ? "viewer-canvas" : `viewer-canvas-${name}`;
    this.element.innerHTML = `<canvas id="${id}" tabindex="0" role="img"></canvas>
      <button type="button" class="pane-name" draggable="true"></button><button type="button" class="pane-large" aria-pressed="false">⤢</button>
      ${["left", "right", "top", "bottom"].map((side) => `<span class="side ${side}"></span>`).join("")}
      <span class="pane-at" aria-live="off"></span><span class="pane-hu"></span><span class="pane-note"></span>`;
    const find = (part) => this.element.querySelector(part);
    Object.assign(this, { canvas: find("canvas"), title: find(".pane-name"), large: find(".pane-large"), at: find(".pane-at"), hu: find(".pane-hu"), note: find(".pane-note") });
    if (name === "axial") { this.at.id = "viewer-slice"; this.hu.id = "viewer-hu"; this.at.setAttribute("aria-live", "polite"); }
    this.large.addEventListener("click", () => viewer.maximise(this.name));
    listen(this);
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  get study() { return this.series.study; }
  get index() { return this.series.point[PLANES[this.plane].axis]; }

  translate() {
    const say = this.viewer.say;
    this.entitle();
    this.title.title = say("pane_move");
    this.large.setAttribute("aria-label", `${say("maximise")}: ${say(this.name)}`);
    this.canvas.setAttribute("aria-label", `${say(this.name)}. ${say("viewer_label")}`);
    const sides = this.element.querySelectorAll(".side");
    PLANES[this.plane].sides.forEach((letter, i) => { sides[i].textContent = letter; sides[i].title = say(`side_${letter}`); });
  }

  // A second study is called prior only where its day says so.
  entitle() { this.title.textContent = this.viewer.say(this.name === "prior" && this.study && !this.study.prior ? "other_study" : this.name); }

  blank() {
    this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const one of [this.picture, this.over]) { one.width = 1; one.height = 1; }
    for (const part of [this.at, this.hu, this.note]) part.textContent = "";
    delete this.canvas.dataset.drawn;
    this.shown = null;
    this.reset();
  }

  reset() { this.zoom = 1; this.pan = [0, 0]; }

  address(index) {
    const { slab, projection } = this.viewer;
    const thick = slab ? `?slab=${slab}&show=${projection}` : "";
    return `/study/${this.study.token}/plane/${this.plane}/${index}${thick}`;
  }

  overAddress() {
    const { layers } = this.viewer;
    return layers.size && !this.study.sealed ? `/study/${this.study.token}/over/${this.plane}/${this.index}?layers=${[...layers].sort()}` : null;
  }

  // Draw what is there, ask for what is not, and for the neighbours once nothing else is wanted.
  async show() {
    if (!this.study?.shape || !this.visible) return;
    const { study, index } = this;
    const planes = this.viewer.planes;
    this.direction = Math.sign(index - (this.last ?? index)) || this.direction;
    this.last = index;
    this.draw();
    const path = this.address(index);
    const over = this.overAddress();
    const found = await planes.want(path, path, "hu");
    if (over) await planes.want(over, over, "bits");
    if (study !== this.study) return;
    if (!found && index === this.index && !planes.get(path)) this.note.textContent = this.viewer.say("failed");
    if (index !== this.index) return;
    this.draw();
    const { planes: count } = layout(study, this.plane);
    for (const far of [index + AHEAD * this.direction, index - BEHIND * this.direction]) {
      const near = index + Math.sign(far - index);
      if (near >= 0 && near < count) planes.wantRun(near, clamp(far, 0, count - 1), (n) => this.address(n));
    }
  }

  get visible() { return this.element.offsetParent !== null; }

  // Where the picture lies on the pane, in CSS pixels.
  frame() {
    const { columns, rows, wide, high } = layout(this.study, this.plane);
    const { clientWidth: w, clientHeight: h } = this.element;
    const mm = Math.min(w / (columns * wide), h / (rows * high)) * this.zoom;
    const size = [columns * wide * mm, rows * high * mm];
    return { mm, size, left: (w - size[0]) / 2 + this.pan[0], top: (h - size[1]) / 2 + this.pan[1], columns, rows, w, h };
  }

  // Fractions of a column and a row under a point of the screen.
  under(event) {
    const box = this.canvas.getBoundingClientRect();
    const f = this.frame();
    return [((event.clientX - box.left - f.left) / f.size[0]) * f.columns, ((event.clientY - box.top - f.top) / f.size[1]) * f.rows];
  }

  point(event) { return voxel(this.study, this.plane, this.index, ...this.under(event)); }

  draw() {
    if (!this.study?.shape || !this.visible) return;
    const { viewer } = this;
    const path = this.address(this.index);
    const hu = viewer.planes.get(path);
    this.words(hu);
    const f = this.frame();
    if (hu) {
      const look = `${path} ${viewer.window}`;
      if (this.shown !== look) { grey(this.picture, hu, f.columns, f.rows, viewer.window); this.shown = look; }
      this.note.textContent = "";
    } else if (!this.shown) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(f.w * ratio), Math.round(f.h * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) { this.canvas.width = width; this.canvas.height = height; }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, f.w, f.h);
    pen.imageSmoothingEnabled = f.mm * ratio < 6;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(this.picture, f.left, f.top, ...f.size);
    if (!hu) return;
    this.layers(pen, f);
    this.canvas.dataset.drawn = String(this.index);
  }

  // Overlays, heat, marks, ruler, crosshair, scale.
  layers(pen, f) {
    const { viewer } = this;
    const path = this.overAddress();
    const bits = path && viewer.planes.get(path);
    if (bits) {
      tint(this.over, bits, f.columns, f.rows);
      pen.globalAlpha = viewer.opacity;
      pen.drawImage(this.over, f.left, f.top, ...f.size);
      pen.globalAlpha = 1;
    }
    const place = (column, row) => [f.left + (column / f.columns) * f.size[0], f.top + (row / f.rows) * f.size[1]];
    if (this.plane === "axial" && this.series === viewer.main) {
      pen.save();
      pen.translate(f.left, f.top);
      viewer.heat.paint(pen, this.index, ...f.size);
      pen.restore();
    }
    for (const one of this.series.marks) mark(pen, this.plane, this.index, one, place, one.number === viewer.marks.chosen);
    if (this.series.line) ruler(pen, this.plane, this.index, this.series.line, this.study, place);
    const { across, down } = PLANES[this.plane];
    const middle = place(this.series.point[across] + 0.5, this.series.point[down] + 0.5);
    if (viewer.crosshair) cross(pen, middle, f.w, f.h);
    scale(pen, f.mm, f.w, f.h);
  }

  words(hu) {
    const { planes, step } = layout(this.study, this.plane);
    const mm = (this.index * step).toFixed(0);
    const say = this.viewer.say;
    this.at.textContent = `${say("slice")} ${this.index} (0–${planes - 1}) · ${mm} mm${this.viewer.slab ? ` · ${say(this.viewer.projection)} ${this.viewer.slab} mm` : ""}`;
    if (hu) this.density(hu);
  }

  // Under the mouse, else at the crosshair: fingers and keys read densities too.
  density(hu) {
    const { across, down } = PLANES[this.plane];
    const [column, row] = (this.cursor ?? [this.series.point[across], this.series.point[down]]).map(Math.floor);
    const { columns, rows } = layout(this.study, this.plane);
    const out = column < 0 || row < 0 || column >= columns || row >= rows;
    this.hu.textContent = out ? "" : `${hu[row * columns + column]} HU · ${voxel(this.study, this.plane, this.index, column, row).join(", ")}`;
  }

  hover(event) {
    this.cursor = event ? this.under(event) : null;
    const hu = this.viewer.planes.get(this.address(this.index));
    if (hu) this.density(hu);
  }

  // Zoom about a point of the screen, which stays where it is.
  zoomAt(factor, event) {
    const before = this.frame();
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = event ? [event.clientX - box.left, event.clientY - box.top] : [before.w / 2, before.h / 2];
    this.zoom = clamp(this.zoom * factor, 1, 16);
    const share = [(x - before.left) / before.size[0], (y - before.top) / before.size[1]];
    if (this.zoom === 1) this.pan = [0, 0];
    else {
      const after = this.frame();
      this.pan = [this.pan[0] + x - (after.left + share[0] * after.size[0]), this.pan[1] + y - (after.top + share[1] * after.size[1])];
    }
    this.draw();
  }
}
