// The measured lesions of a study: numbered, listed, drawn on the image, kept by the server.
import { middle } from "./geometry.js";

export class Marks {
  constructor(viewer) {
    this.viewer = viewer;
    this.chosen = null;
    this.element = document.createElement("section");
    this.element.id = "viewer-marks";
    this.element.innerHTML = `<div class="marks-head"><h3></h3><button type="button" data-do="undo"></button></div><ol></ol>`;
    this.list = this.element.querySelector("ol");
    this.element.addEventListener("click", (event) => this.click(event));
    this.element.addEventListener("submit", (event) => { event.preventDefault(); this.named(event.target); });
    this.element.addEventListener("keydown", (event) => { if (event.key === "Escape" && this.renaming) { this.renaming = null; this.draw(); } });
  }

  get series() { return this.viewer.main; }

  // One request after the other; an answer about another study than the one that is shown is thrown away.
  async change(change, series = this.series) {
    const { study } = series;
    if (!study?.shape || study.sealed) return null;
    const reply = await fetch(`/study/${study.token}/marks`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(change),
    });
    const found = reply.ok ? await reply.json() : { status: "error", reason: this.viewer.say("failed") };
    if (series.study !== study) return null;
    if (found.marks) {
      series.marks = found.marks;
      series.undoable = found.undoable;
      this.viewer.planes.drop("/over/");
    }
    if (found.number) this.chosen = found.number;
    this.draw();
    this.viewer.refresh();
    return found;
  }

  undo() { return this.tell(this.change({ do: "undo" })); }

  async tell(promise) {
    const found = await promise;
    if (found) this.viewer.result(found.reason ?? "");
  }

  translate() {
    this.element.querySelector("h3").textContent = this.viewer.say("marks");
    this.element.querySelector("[data-do=undo]").textContent = this.viewer.say("undo");
    this.draw();
  }

  draw() {
    const { say, study } = this.viewer;
    this.element.hidden = !study?.shape || Boolean(study.sealed);
    this.element.querySelector("[data-do=undo]").disabled = !this.series.undoable;
    this.list.replaceChildren(...this.series.marks.map((mark) => this.row(mark)));
    if (!this.series.marks.length) this.list.innerHTML = `<li class="note">${say("no_marks")}</li>`;
  }

  row(mark) {
    const { say } = this.viewer;
    const { lesion } = mark;
    const row = document.createElement("li");
    row.className = mark.number === this.chosen ? "chosen" : "";
    const place = `${say(lesion.side)} ${say(lesion.lobe_or_third)}`;
    const solid = lesion.type === "part_solid" ? ` · ${say("solid_part")} ${lesion.solid_mm.toFixed(1)} mm` : "";
    const figures = `${lesion.long_mm.toFixed(1)} × ${lesion.short_mm.toFixed(1)} mm · ${lesion.volume_mm3.toFixed(0)} mm³ · ${say(lesion.type)}${solid} · ${lesion.mean_hu.toFixed(0)} HU · ${say("slice")} ${lesion.slice}`;
    const go = button("go", mark, `${mark.number}`, `${say("mark")} ${mark.number}`);
    const words = document.createElement("span");
    words.className = "mark-words";
    const name = document.createElement("b");
    name.textContent = mark.name ?? place;
    words.append(name, ` ${mark.name ? `${place} · ` : ""}${figures}`);
    if (lesion.warnings.length) words.title = lesion.warnings.join(" ");
    if (this.renaming === mark.number) {
      const form = document.createElement("form");
      form.dataset.number = mark.number;
      form.innerHTML = `<input maxlength="60" aria-label="${say("rename")}"><button type="submit">✓</button>`;
      form.querySelector("input").value = mark.name ?? "";
      row.append(go, form);
    } else row.append(go, words, button("rename", mark, "✎", say("rename")), button("delete", mark, "✕", say("delete")));
    return row;
  }

  click(event) {
    const pressed = event.target.closest("button");
    const number = Number(pressed?.dataset.number);
    const mark = this.series.marks.find((one) => one.number === number);
    if (pressed?.dataset.do === "undo") this.undo();
    else if (!mark) return;
    else if (pressed.dataset.do === "go") this.go(mark);
    else if (pressed.dataset.do === "delete") this.tell(this.change({ do: "delete", number }));
    else if (pressed.dataset.do === "rename") { this.renaming = number; this.draw(); this.list.querySelector("form input").focus(); }
  }

  named(form) {
    this.renaming = null;
    this.tell(this.change({ do: "rename", number: Number(form.dataset.number), name: form.querySelector("input").value }));
  }

  go(mark) {
    this.chosen = mark.number;
    const [x, y] = middle(mark.lesion);
    this.viewer.goTo(this.series, [x, y, mark.lesion.slice]);
    this.draw();
  }
}

function button(what, mark, words, label) {
  const made = document.createElement("button");
  made.type = "button";
  made.dataset.do = what;
  made.dataset.number = mark.number;
  made.textContent = words;
  made.title = label;
  made.setAttribute("aria-label", what === "go" ? label : `${label} ${mark.number}`);
  return made;
}
