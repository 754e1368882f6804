// A teaching case: record, commit, see the machine's read, decide, and only then the truth. Where none is open: progress and the next case.

import { home } from "./home.js";
import { machineRead, result } from "./result.js";
import { safe, Words } from "./words.js";

export class Teaching {
  constructor(say, done) {
    this.say = say;
    this.done = done; // called after the decision, so that the viewer learns what it may show
    this.element = document.createElement("div");
    this.element.className = "teaching";
    this.view = null;
    this.entries = [];
    this.report = "";
    this.asking = false;
    this.alone = false;
    this.problem = "";
    this.element.addEventListener("click", (event) => this.click(event));
    this.element.addEventListener("change", (event) => {
      if (event.target.id === "teach-finding") this.fields();
      else if (event.target.id === "teach-alone") this.alone = event.target.checked;
      else if (event.target.id === "teach-report") { this.report = event.target.value; this.keep(); }
    });
    this.element.addEventListener("input", (event) => { if (event.target.id === "teach-confidence") this.find("sure").value = event.target.value; });
    this.draw();
  }

  get sealed() { return Boolean(this.view && this.view.stage !== "done"); }

  open(view) {
    const same = view?.case_id === this.view?.case_id && view?.stage === this.view?.stage;
    if (view && !same) {
      const from = view.stage === "machine" ? view.reading : view.draft;
      this.entries = [...(from?.entries ?? [])];
      this.report = from?.report ?? "";
    }
    this.view = view;
    this.words = new Words(this.say, view?.choices);
    this.asking = false;
    this.problem = "";
    this.draw();
  }

  draw() {
    document.body.classList.toggle("sealed-case", this.sealed);
    if (!this.view) this.home();
    else if (this.view.stage === "done") this.element.innerHTML = result(this.view, this.words);
    else this.form();
  }

  async home() {
    const text = await home(this.say);
    if (!this.view) this.element.innerHTML = text;
  }

  form() {
    const { say, words } = this;
    const kept = ["finding", "side", "lobe", "confidence"].map((key) => [key, this.find(key)?.value]);
    const options = this.view.choices.map((c) => `<option value="${c.id}">${safe(words.zh ? c.name_zh : c.name_en)}</option>`).join("");
    const sides = ["right", "left", "both"].map((s) => `<option value="${s}">${say(s)}</option>`).join("");
    const lobes = ["", "upper", "middle", "lower"].map((l) => `<option value="${l}">${l ? say(`teach_${l}`) : "–"}</option>`).join("");
    const rows = this.entries.map((e, i) => `<li>${safe(words.entry(e))} <button type="button" data-remove="${i}" aria-label="${say("teach_remove")}: ${safe(words.name(e.finding))}">✕</button></li>`).join("");
    const second = this.view.stage === "machine";
    this.element.innerHTML = `${second ? machineRead(this.view, words) : `<h3>${say("teach_title")} <span class="note">${say("teach_level")} ${this.view.level}</span></h3><p class="note">${say("teach_hint")}</p>`}
      <h4>${say(second ? "teach_decide_title" : "teach_entries")}</h4>
      <div class="teach-row">
        <label>${say("teach_finding")}<select id="teach-finding">${options}</select></label>
        <label id="teach-side-field">${say("teach_side")}<select id="teach-side">${sides}</select></label>
        <label id="teach-lobe-field">${say("teach_lobe")}<select id="teach-lobe">${lobes}</select></label>
        <label id="teach-size-field">${say("teach_size")}<input id="teach-size" type="number" min="1" max="400" step="1" inputmode="numeric"></label>
        <label><span>${say("teach_confidence")} <output id="teach-sure" for="teach-confidence">3</output></span><input id="teach-confidence" type="range" min="1" max="5" step="1" value="3"></label>
        <button type="button" data-do="add">${say("teach_add")}</button>
      </div>
      <ul id="teach-entries">${rows}</ul>
      ${this.entries.length ? "" : `<p class="note">${say("teach_none")}</p>`}
      ${second ? "" : `<label class="teach-report">${say("teach_report")}<textarea id="teach-report" rows="3" maxlength="8000">${safe(this.report)}</textarea></label>${this.hints()}`}
      <p class="teach-problem" role="alert">${safe(this.problem)}</p>
      <div class="teach-commit">${this.commitButtons(second)}</div>`;
    for (const [key, value] of kept) if (value) this.find(key).value = value;
    this.find("sure").value = this.find("confidence").value;
    this.fields();
  }

  hints() {
    const told = this.view.hints.map((h) => `<li>${safe(this.words.zh ? h.text_zh : h.text)}</li>`).join("");
    return `<div class="teach-hints"><button type="button" data-do="hint">${this.say("teach_ask_hint")}</button>${told ? `<ol>${told}</ol>` : ""}</div>`;
  }

  commitButtons(second) {
    const { say } = this;
    if (second) return `<button type="button" class="strong" data-do="decide">${say("teach_decide")}</button>`;
    if (this.asking) return `<b>${say("teach_sure")}</b> <button type="button" class="strong" data-do="commit">${say("teach_yes")}</button> <button type="button" data-do="back">${say("teach_no")}</button>`;
    return `<button type="button" class="strong" data-do="ask">${say("teach_commit")}</button> <label class="teach-alone"><input id="teach-alone" type="checkbox" ${this.alone ? "checked" : ""}> ${say("teach_alone")}</label>`;
  }

  find(name) { return this.element.querySelector(`#teach-${name}`); }

  // Side, lobe and size are asked only where they mean something.
  fields() {
    const choice = this.view.choices.find((c) => c.id === this.find("finding").value);
    this.find("side-field").hidden = choice.midline;
    this.find("lobe-field").hidden = !choice.lung;
    this.find("size-field").hidden = !choice.focal;
  }

  click(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const act = button.dataset.do;
    if (button.dataset.remove) { this.entries.splice(Number(button.dataset.remove), 1); this.keep(); }
    else if (act === "add") { this.add(); this.keep(); }
    else if (act === "ask") this.asking = true;
    else if (act === "back") this.asking = false;
    else if (act === "hint") { this.send("hint"); return; }
    else if (act === "commit") { this.send(`commit?alone=${this.alone}`, true); return; }
    else if (act === "decide") { this.send("decide", true); return; }
    else if (act === "next") { this.next(); return; }
    else return;
    this.draw();
  }

  add() {
    const choice = this.view.choices.find((c) => c.id === this.find("finding").value);
    const size = choice.focal ? Number(this.find("size").value) : null;
    this.problem = choice.focal && !(size > 0) ? `${this.words.name(choice.id)}: ${this.say("teach_size")}` : "";
    if (this.problem) return;
    const side = choice.midline ? null : this.find("side").value;
    const lobe = (choice.lung && this.find("lobe").value) || null;
    this.entries = this.entries.filter((e) => e.finding !== choice.id || e.side !== side);
    this.entries.push({ finding: choice.id, side, lobe, size_mm: size, confidence: Number(this.find("confidence").value) });
  }

  body() { return JSON.stringify({ entries: this.entries, report: this.find("report")?.value ?? this.report }); }

  post(path) { return fetch(`/teaching/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: this.body() }); }

  // An unfinished reading survives a reload.
  async keep() {
    if (this.view?.stage !== "reading") return;
    const reply = await this.post("draft");
    if (!reply.ok) { this.problem = this.say("teach_not_kept"); this.draw(); }
  }

  async send(path, tell = false) {
    this.report = this.find("report")?.value ?? this.report;
    const asked = this.view;
    const reply = await this.post(path);
    const body = await reply.json();
    if (this.view !== asked) return; // another case may have been opened while the answer was read
    this.asking = false;
    if (!reply.ok) { this.problem = typeof body.detail === "string" ? body.detail : this.say("failed"); this.draw(); return; }
    this.open(body);
    if (tell && body.stage === "done") this.done();
  }

  // The page opens cases; it listens for this.
  async next() {
    const reply = await fetch("/teaching/progress");
    if (!reply.ok) { this.problem = this.say("failed"); return; }
    const { next } = await reply.json();
    document.dispatchEvent(new CustomEvent("medmpt:open-case", { detail: { id: next } }));
  }
}
