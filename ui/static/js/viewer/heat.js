// Heatmap of one finding over the slice: a small grid per model input, painted smoothly with a chosen opacity.

export class Heat {
  constructor(viewer, place) {
    this.viewer = viewer;
    this.say = viewer.say;
    this.place = place;
    this.study = null;
    this.maps = new Map(); // "token/finding" -> map, or null while it loads
    place.innerHTML = `<label><input type="checkbox" id="heat-on"> <span></span></label>
      <select id="heat-finding" hidden></select>
      <label id="heat-fade" hidden><span></span> <input type="range" id="heat-opacity" min="10" max="100" value="55" step="5"></label>
      <p id="heat-note" class="note" role="status"></p>`;
    this.on = place.querySelector("#heat-on");
    this.list = place.querySelector("#heat-finding");
    this.opacity = place.querySelector("#heat-opacity");
    this.note = place.querySelector("#heat-note");
    this.on.addEventListener("change", () => this.toggle());
    this.list.addEventListener("change", () => this.show(this.list.value, true));
    this.opacity.addEventListener("input", () => this.viewer.draw());
  }

  choose(study) {
    if (study === this.study && study) return;
    this.study = study;
    this.found = null;
    this.finding = null;
    this.on.checked = false;
    this.place.hidden = !study || Boolean(study.sealed);
    this.shown();
    this.note.textContent = "";
  }

  shown() {
    this.list.hidden = !this.on.checked || !this.found?.findings?.length;
    this.place.querySelector("#heat-fade").hidden = this.list.hidden;
  }

  translate() {
    this.place.querySelector("label span").textContent = this.say("heatmap");
    this.place.querySelector("#heat-fade span").textContent = this.say("opacity");
    this.list.setAttribute("aria-label", this.say("heatmap_finding"));
    this.opacity.setAttribute("aria-label", this.say("opacity"));
    this.fill();
    this.explain();
  }

  // Findings of the study are asked for when the box is first ticked: the model runs then.
  async toggle(finding = null) {
    this.shown();
    if (!this.on.checked) { this.note.textContent = ""; this.viewer.draw(); return; }
    const study = this.study;
    if (!this.found) {
      this.note.textContent = this.say("model_runs");
      const reply = await fetch(`/study/${study.token}/findings`);
      const found = reply.ok ? await reply.json() : { status: "error", findings: [] };
      if (study !== this.study) return; // another case may have been opened while the answer was read
      this.found = found;
      this.fill();
    }
    this.shown();
    this.explain();
    const first = finding ?? this.found.findings[0]?.id;
    if (first) await this.show(first, finding === null);
  }

  fill() {
    const zh = this.say("language") === "zh";
    const rows = this.found?.findings ?? [];
    this.list.replaceChildren(...rows.map((f) => {
      const mark = f.present === true ? "● " : "○ ";
      return new Option(`${mark}${zh ? f.name_zh : f.name_en} · ${f.probability.toFixed(2)}`, f.id, false, f.id === this.finding);
    }));
  }

  explain() {
    if (!this.on.checked || !this.found) return;
    const zh = this.say("language") === "zh";
    const { card, reason, reason_zh: inChinese, findings } = this.found;
    const why = (zh && inChinese) || reason || "";
    const basis = card ? `${this.say("weights")}: ${card.weights} (${card.trained_on})` : "";
    this.note.textContent = findings.length ? [basis, why].filter(Boolean).join(" · ") : `${this.say("abstains")} ${why}`;
  }

  // Show one finding; a link of an answer may ask for it while the box is still unticked.
  async show(finding, jump) {
    const study = this.study;
    if (!study || study.sealed) return;
    if (!this.on.checked || !this.found) {
      this.on.checked = true;
      await this.toggle(finding);
      return;
    }
    this.finding = finding;
    this.list.value = finding;
    const name = `${study.token}/${finding}`;
    if (!this.maps.has(name)) {
      this.maps.set(name, null);
      this.note.textContent = this.say("model_runs");
      const reply = await fetch(`/study/${study.token}/heat/${encodeURIComponent(finding)}`);
      const map = reply.ok ? await reply.json() : { status: "error", reason: this.say("failed") };
      if (map.values) this.maps.set(name, { ...map, bytes: Uint8Array.from(atob(map.values), (c) => c.charCodeAt(0)), tiles: new Map() });
      else this.maps.delete(name);
      if (study !== this.study) return;
      this.explain();
      if (map.reason && !map.values) this.note.textContent = map.reason;
    }
    const map = this.maps.get(name);
    if (jump && map?.key_slices?.length) this.viewer.go(map.key_slices[0]);
    else this.viewer.draw();
  }

  paint(pen, index, width, height) {
    const map = this.on.checked && this.study && this.finding ? this.maps.get(`${this.study.token}/${this.finding}`) : null;
    const input = map ? map.ranges.findIndex(([first, end]) => index >= first && index < end) : -1;
    this.viewer.panes[0].canvas.dataset.heat = input >= 0 ? this.finding : "";
    if (input < 0) return;
    pen.globalAlpha = Number(this.opacity.value) / 100;
    pen.imageSmoothingEnabled = true;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(this.tile(map, input), 0, 0, width, height);
    pen.globalAlpha = 1;
  }

  // One input as a small canvas: transparent where the score is low, then yellow to red.
  tile(map, input) {
    if (map.tiles.has(input)) return map.tiles.get(input);
    const { grid } = map;
    const small = document.createElement("canvas");
    small.width = small.height = grid;
    const image = new ImageData(grid, grid);
    for (let i = 0; i < grid * grid; i += 1) {
      const value = map.bytes[input * grid * grid + i];
      image.data.set([255, 210 - Math.round(value * 0.75), 30, Math.max(0, value - 70) * 1.35], 4 * i);
    }
    small.getContext("2d").putImageData(image, 0, 0);
    map.tiles.set(input, small);
    return small;
  }
}
