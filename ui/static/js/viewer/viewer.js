import { Heat } from "./heat.js";

// A CT viewer: int16 HU slices from the server, windowed here. Image left is the patient's right; slices count from 0 at the head.

const WINDOWS = { lung: [-600, 1500], mediastinum: [40, 400], bone: [400, 1800] }; // [centre, width] in HU, usual reading windows
const KEEP = 48; // slices held in memory
const AHEAD = 3; // neighbours fetched on each side

export class Viewer {
  constructor(say) {
    this.say = say;
    this.studies = [];
    this.study = null;
    this.index = 0;
    this.window = "lung";
    this.cache = new Map();
    this.marks = new Map(); // study token -> last measurement
    this.cursor = null;
    this.build();
    this.translate();
  }

  build() {
    this.element = document.createElement("div");
    this.element.className = "viewer";
    this.element.innerHTML = `
      <div class="viewer-bar"><select id="viewer-study"></select><div id="viewer-windows" role="group"></div></div>
      <div id="viewer-stage"><canvas id="viewer-canvas" tabindex="0" role="img"></canvas><canvas id="viewer-overlay" aria-hidden="true"></canvas>
        <span class="mark right">R</span><span class="mark left">L</span>
        <span id="viewer-slice" class="overlay" aria-live="polite"></span><span id="viewer-hu" class="overlay"></span>
        <span id="viewer-synthetic" class="overlay" hidden></span>
        <span id="viewer-scale" class="overlay"><i></i><b></b></span>
        <p id="viewer-message"></p></div>
      <input id="viewer-slider" type="range" min="0" value="0" step="1">
      <div id="viewer-heat"></div><div id="viewer-keys"></div><p id="viewer-result" role="status"></p><p id="viewer-hint" class="note"></p>`;
    const find = (id) => this.element.querySelector(`#viewer-${id}`);
    this.ui = Object.fromEntries(
      ["study", "windows", "stage", "canvas", "overlay", "slice", "hu", "synthetic", "scale", "message", "slider", "keys", "result", "hint"].map((id) => [id, find(id)]),
    );
    this.heat = new Heat(this, this.element.querySelector("#viewer-heat"));
    for (const name of Object.keys(WINDOWS)) {
      const button = document.createElement("button");
      button.type = "button";
      button.id = `window-${name}`;
      button.dataset.window = name;
      button.addEventListener("click", () => this.setWindow(name));
      this.ui.windows.append(button);
    }
    const { canvas, slider, study } = this.ui;
    canvas.addEventListener("wheel", (event) => { event.preventDefault(); this.wheel(event.deltaY); }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointercancel", () => { this.drag = null; });
    slider.addEventListener("input", () => this.go(Number(slider.value)));
    study.addEventListener("change", () => this.choose(Number(study.value)));
    new ResizeObserver(() => this.draw()).observe(this.ui.stage);
  }

  translate() {
    const say = this.say;
    for (const button of this.ui.windows.children) button.textContent = say(button.dataset.window);
    this.ui.windows.setAttribute("aria-label", say("window"));
    this.ui.canvas.setAttribute("aria-label", say("viewer_label"));
    this.ui.slider.setAttribute("aria-label", say("slice"));
    this.ui.study.setAttribute("aria-label", say("study"));
    this.ui.synthetic.textContent = say("synthetic");
    this.hint();
    this.heat.translate();
    this.setWindow(this.window);
    this.position();
    this.keys();
    this.explain();
    this.result();
  }

  hint() {
    this.ui.hint.textContent = this.say(this.study?.sealed ? "ruler" : "measure_hint");
  }

  // Between two cases: nothing of the old one stays visible.
  wait() {
    this.study = this.refused = this.cursor = null;
    this.studies = [];
    this.ruler = [];
    this.cache.clear();
    this.marks.clear();
    this.pending = (this.pending ?? 0) + 1;
    for (const canvas of [this.ui.canvas, this.ui.overlay]) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    delete this.ui.canvas.dataset.drawn;
    for (const part of ["slice", "hu", "result"]) this.ui[part].textContent = "";
    this.ui.synthetic.hidden = true;
    this.ui.study.replaceChildren();
    this.keys();
    this.heat.choose(null);
    this.element.classList.add("empty");
    this.ui.message.textContent = this.say("loading");
  }

  async open({ case: present, studies }) {
    this.present = present;
    this.studies = studies;
    this.cache.clear();
    this.marks.clear();
    this.ui.study.replaceChildren(...studies.map((study, i) => new Option(study.label, String(i))));
    this.ui.study.hidden = studies.length < 2;
    this.choose(0);
  }

  choose(number) {
    const study = this.studies[number] ?? null;
    this.study = study?.token ? study : null;
    this.refused = study && !study.token ? study : null;
    this.cursor = null;
    this.ruler = [];
    this.element.classList.toggle("empty", !this.study);
    this.ui.synthetic.hidden = !study?.synthetic;
    this.keys();
    this.result();
    this.explain();
    this.heat.choose(this.study);
    this.hint();
    if (!this.study) return;
    this.ui.slider.max = this.study.shape[0] - 1;
    const first = this.study.key_slices?.[0]?.index;
    this.go(first ?? Math.floor(this.study.shape[0] / 2));
  }

  // Show one slice of a study by its handle; a link of an answer says which.
  jump(handle, index) {
    const number = this.studies.findIndex((study) => study.handle === handle && study.token);
    if (number >= 0 && this.studies[number] !== this.study) {
      this.ui.study.value = String(number);
      this.choose(number);
    }
    this.go(index, true);
  }

  explain() {
    const say = this.say;
    if (this.study) this.ui.message.textContent = this.study.status === "out_of_domain" ? this.study.reason ?? "" : "";
    else this.ui.message.textContent = this.refused ? this.refused.reason || say("failed") : say(this.present ? "no_study" : "no_case");
  }

  setWindow(name) {
    this.window = name;
    for (const button of this.ui.windows.children) button.setAttribute("aria-pressed", String(button.dataset.window === name));
    this.draw();
  }

  keys() {
    const list = this.study?.key_slices ?? [];
    this.ui.keys.replaceChildren(
      ...list.map((key) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = `${this.say(key.name).replaceAll("_", " ")} · ${key.index}`;
        button.addEventListener("click", () => this.go(key.index, true));
        return button;
      }),
    );
    this.ui.keys.setAttribute("aria-label", this.say("key_slices"));
  }

  position() {
    if (this.study) this.ui.slice.textContent = `${this.say("slice")} ${this.index} (0–${this.study.shape[0] - 1})`;
  }

  async go(index, focus = false) {
    const study = this.study;
    if (!study) return;
    this.index = Math.max(0, Math.min(study.shape[0] - 1, Math.round(index)));
    this.ui.slider.value = this.index;
    this.position();
    if (focus) this.ui.canvas.focus({ preventScroll: true });
    this.draw();
    await this.load(this.index);
    this.draw();
    for (let step = 1; step <= AHEAD; step += 1) for (const near of [this.index + step, this.index - step]) this.load(near);
  }

  load(index) {
    const study = this.study;
    if (!study || index < 0 || index >= study.shape[0]) return Promise.resolve();
    const name = `${study.token}/${index}`;
    if (!this.cache.has(name)) {
      const wanted = fetch(`/study/${name}`)
        .then((reply) => (reply.ok ? reply.arrayBuffer() : Promise.reject(new Error(String(reply.status)))))
        .then((bytes) => this.cache.set(name, new Int16Array(bytes)))
        .catch(() => { this.cache.delete(name); if (this.study === study && this.index === index) this.ui.message.textContent = this.say("failed"); });
      this.cache.set(name, wanted);
      for (const old of this.cache.keys()) { if (this.cache.size <= KEEP) break; this.cache.delete(old); }
    }
    return Promise.resolve(this.cache.get(name));
  }

  draw() {
    const study = this.study;
    if (!study) return;
    const pixels = this.cache.get(`${study.token}/${this.index}`);
    if (!(pixels instanceof Int16Array)) return;
    const [, rows, columns] = study.shape;
    const { canvas, stage } = this.ui;
    const wide = (columns * study.spacing[2]) / (rows * study.spacing[1]);
    const width = Math.min(stage.clientWidth, stage.clientHeight * wide);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${width / wide}px`;
    if (canvas.width !== columns || canvas.height !== rows) { canvas.width = columns; canvas.height = rows; }
    const [centre, span] = WINDOWS[this.window];
    const image = new ImageData(columns, rows);
    const out = new Uint32Array(image.data.buffer);
    const low = centre - span / 2;
    for (let i = 0; i < pixels.length; i += 1) {
      const grey = Math.max(0, Math.min(255, ((pixels[i] - low) * 255) / span)) | 0;
      out[i] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
    }
    const context = canvas.getContext("2d");
    context.putImageData(image, 0, 0);
    this.overlay(width, width / wide);
    this.scale(width / columns / study.spacing[2]);
    canvas.dataset.drawn = String(this.index);
  }

  // Crosshair and measured box, drawn at the screen's resolution on a canvas of their own.
  overlay(width, height) {
    const [, rows, columns] = this.study.shape;
    const { overlay, canvas } = this.ui;
    const ratio = window.devicePixelRatio || 1;
    Object.assign(overlay.style, { width: `${width}px`, height: `${height}px`, left: `${canvas.offsetLeft}px`, top: `${canvas.offsetTop}px` });
    overlay.width = Math.round(width * ratio);
    overlay.height = Math.round(height * ratio);
    const pen = overlay.getContext("2d");
    pen.scale(ratio, ratio);
    this.heat.paint(pen, this.index, width, height);
    const place = (x, y) => [(x * width) / columns, (y * height) / rows];
    this.line(pen, place);
    const box = this.box();
    if (box && this.index >= box.z[0] && this.index <= box.z[1]) {
      const [left, top] = place(box.x[0], box.y[0]);
      const [right, bottom] = place(box.x[1] + 1, box.y[1] + 1);
      pen.strokeStyle = "#2dd4bf";
      pen.lineWidth = 1.5;
      pen.setLineDash([5, 4]);
      pen.strokeRect(left - 4, top - 4, right - left + 8, bottom - top + 8);
      pen.setLineDash([]);
    }
    if (!this.cursor || this.cursor[2] !== this.index) return;
    const [x, y] = place(this.cursor[0] + 0.5, this.cursor[1] + 0.5);
    pen.strokeStyle = "#facc15";
    pen.lineWidth = 1.25;
    pen.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) { pen.moveTo(x + dx * 4, y + dy * 4); pen.lineTo(x + dx * 11, y + dy * 11); }
    pen.stroke();
  }

  // Of a sealed teaching case: a plain ruler between two points, nothing that a machine finds.
  rule([x, y]) {
    if (this.ruler.length > 1 || (this.ruler[0] && this.ruler[0][2] !== this.index)) this.ruler = [];
    this.ruler.push([x, y, this.index]);
    this.result();
    this.draw();
  }

  line(pen, place) {
    const points = (this.ruler ?? []).filter((point) => point[2] === this.index).map(([x, y]) => place(x + 0.5, y + 0.5));
    if (!points.length) return;
    pen.strokeStyle = pen.fillStyle = "#facc15";
    pen.lineWidth = 1.5;
    pen.beginPath();
    points.forEach(([x, y], i) => { pen[i ? "lineTo" : "moveTo"](x, y); });
    pen.stroke();
    for (const [x, y] of points) pen.fillRect(x - 2, y - 2, 4, 4);
  }

  box() {
    return this.marks.get(this.study.token)?.lesion?.box ?? null; // {x: [first, last], y: …, z: …}, inclusive
  }

  scale(pixelsPerMm) {
    const target = this.ui.stage.clientWidth * 0.25;
    const mm = [100, 50, 20, 10, 5].find((length) => length * pixelsPerMm <= target) ?? 5;
    this.ui.scale.querySelector("i").style.width = `${mm * pixelsPerMm}px`;
    this.ui.scale.querySelector("b").textContent = `${mm} mm`;
  }

  wheel(delta) {
    this.turned = (this.turned ?? 0) + delta;
    const steps = Math.trunc(this.turned / 40);
    if (!steps) return;
    this.turned -= steps * 40;
    this.go(this.index + Math.sign(steps) * Math.min(Math.abs(steps), 5));
  }

  key(event) {
    const steps = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
    if (event.key in steps) this.go(this.index + steps[event.key]);
    else if (event.key === "Home") this.go(0);
    else if (event.key === "End") this.go(Infinity);
    else if (event.key === "Enter" && this.study) this.measure(this.cursor ?? [this.study.shape[2] >> 1, this.study.shape[1] >> 1]);
    else if ("123".includes(event.key)) this.setWindow(Object.keys(WINDOWS)[Number(event.key) - 1]);
    else return;
    event.preventDefault();
  }

  voxel(event) {
    const box = this.ui.canvas.getBoundingClientRect();
    const [, rows, columns] = this.study.shape;
    const x = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const y = Math.floor(((event.clientY - box.top) / box.height) * rows);
    return [Math.max(0, Math.min(columns - 1, x)), Math.max(0, Math.min(rows - 1, y))];
  }

  press(event) {
    if (!this.study || event.button) return;
    this.drag = { y: event.clientY, from: this.index, moved: false };
    this.ui.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!this.study) return;
    const [x, y] = this.voxel(event);
    const pixels = this.cache.get(`${this.study.token}/${this.index}`);
    this.ui.hu.textContent = pixels instanceof Int16Array ? `${pixels[y * this.study.shape[2] + x]} HU` : "";
    if (!this.drag) return;
    const far = event.clientY - this.drag.y;
    if (Math.abs(far) > 6) this.drag.moved = true;
    if (this.drag.moved) this.go(this.drag.from + Math.round(far / 6));
  }

  release(event) {
    const drag = this.drag;
    this.drag = null;
    if (drag && !drag.moved && this.study) this.measure(this.voxel(event));
  }

  async measure([x, y]) {
    const study = this.study;
    if (study.sealed) { this.rule([x, y]); return; }
    this.cursor = [x, y, this.index];
    this.pending = (this.pending ?? 0) + 1;
    const mine = this.pending;
    this.marks.delete(study.token);
    this.ui.result.textContent = this.say("measuring");
    this.draw();
    const reply = await fetch(`/study/${study.token}/measure`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ x, y, z: this.index }),
    });
    const found = reply.ok ? await reply.json() : { status: "error", reason: this.say("failed") };
    if (mine !== this.pending || this.study !== study) return;
    this.marks.set(study.token, found);
    this.result();
    this.draw();
  }

  result() {
    if (this.study?.sealed) {
      const [a, b] = this.ruler ?? [];
      const [, down, across] = this.study.spacing;
      this.ui.result.textContent = b ? `${this.say("distance")} ${Math.hypot((a[0] - b[0]) * across, (a[1] - b[1]) * down).toFixed(1)} mm` : "";
      return;
    }
    const found = this.study && this.marks.get(this.study.token);
    const lesion = found?.lesion;
    if (!found) this.ui.result.textContent = "";
    else if (!lesion) this.ui.result.textContent = found.reason ?? found.status ?? "";
    else {
      const say = this.say;
      const round = (value, digits) => (value === null || value === undefined ? "–" : Number(value).toFixed(digits));
      const parts = [`${say("long")} ${round(lesion.long_mm, 1)} mm`, `${say("short")} ${round(lesion.short_mm, 1)} mm`];
      parts.push(`${say("volume")} ${round(lesion.volume_mm3, 0)} mm³`, `${say("density")} ${round(lesion.mean_hu, 0)} HU`);
      if (lesion.type) parts.push(say(lesion.type));
      this.ui.result.textContent = parts.join(" · ") + (found.reason ? ` — ${found.reason}` : "");
    }
  }
}
