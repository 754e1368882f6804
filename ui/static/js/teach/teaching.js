// A teaching case: the trainee records findings and commits them; only then does the server tell the machine's read and the truth.

export class Teaching {
  constructor(say, done) {
    this.say = say;
    this.done = done; // called after a commitment, so that the viewer learns what it may show
    this.element = document.createElement("div");
    this.element.className = "teaching";
    this.view = null;
    this.entries = [];
    this.asking = false;
    this.problem = "";
    this.element.addEventListener("click", (event) => this.click(event));
    this.element.addEventListener("change", (event) => { if (event.target.id === "teach-finding") this.fields(); });
  }

  get sealed() { return Boolean(this.view && !this.view.committed); }

  open(view) {
    if (view?.case_id !== this.view?.case_id) this.entries = [];
    this.view = view;
    this.asking = false;
    this.problem = "";
    this.draw();
  }

  draw() {
    document.body.classList.toggle("sealed-case", this.sealed);
    this.element.hidden = !this.view;
    if (!this.view) this.element.replaceChildren();
    else if (this.view.committed) this.element.innerHTML = this.result();
    else this.form();
  }

  name(id) {
    const choice = this.view.choices.find((c) => c.id === id);
    return choice ? (this.zh() ? choice.name_zh : choice.name_en) : id.replaceAll("_", " ");
  }

  zh() { return this.say("language") === "zh"; }

  form() {
    const say = this.say;
    const kept = { finding: this.find("finding")?.value, side: this.find("side")?.value, confidence: this.find("confidence")?.value };
    const options = this.view.choices.map((c) => `<option value="${c.id}">${safe(this.zh() ? c.name_zh : c.name_en)}</option>`).join("");
    const sides = ["right", "left", "both"].map((s) => `<option value="${s}">${say(s)}</option>`).join("");
    const rows = this.entries.map((e, i) => `<li>${safe(this.entry(e))} <button type="button" data-remove="${i}" aria-label="${say("teach_remove")}: ${safe(this.name(e.finding))}">✕</button></li>`).join("");
    const commit = this.asking
      ? `<b>${say("teach_sure")}</b> <button type="button" class="strong" data-do="commit">${say("teach_yes")}</button> <button type="button" data-do="back">${say("teach_no")}</button>`
      : `<button type="button" class="strong" data-do="ask">${say("teach_commit")}</button>`;
    this.element.innerHTML = `<h3>${say("teach_title")}</h3><p class="note">${say("teach_hint")}</p>
      <div class="teach-row">
        <label>${say("teach_finding")}<select id="teach-finding">${options}</select></label>
        <label id="teach-side-field">${say("teach_side")}<select id="teach-side">${sides}</select></label>
        <label id="teach-size-field">${say("teach_size")}<input id="teach-size" type="number" min="1" max="400" step="1" inputmode="numeric"></label>
        <label>${say("teach_confidence")}<input id="teach-confidence" type="range" min="1" max="5" step="1" value="3"></label>
        <button type="button" data-do="add">${say("teach_add")}</button>
      </div>
      <ul id="teach-entries">${rows}</ul>
      ${this.entries.length ? "" : `<p class="note">${say("teach_none")}</p>`}
      <p class="teach-problem" role="alert">${safe(this.problem)}</p>
      <div class="teach-commit">${commit}</div>`;
    for (const [key, value] of Object.entries(kept)) if (value) this.find(key).value = value;
    this.fields();
  }

  find(name) { return this.element.querySelector(`#teach-${name}`); }

  // Side and size are asked only where they mean something.
  fields() {
    const choice = this.view.choices.find((c) => c.id === this.find("finding").value);
    this.find("side-field").hidden = choice.midline;
    this.find("size-field").hidden = !choice.focal;
  }

  entry(e) {
    const parts = [this.name(e.finding), e.side && this.say(e.side), e.size_mm && `${e.size_mm} mm`].filter(Boolean);
    return `${parts.join(", ")} · ${this.say("teach_confidence")}: ${e.confidence}`;
  }

  click(event) {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.remove) this.entries.splice(Number(button.dataset.remove), 1);
    else if (button.dataset.do === "add") this.add();
    else if (button.dataset.do === "ask") this.asking = true;
    else if (button.dataset.do === "back") this.asking = false;
    else if (button.dataset.do === "commit") { this.commit(); return; }
    else return;
    this.draw();
  }

  add() {
    const choice = this.view.choices.find((c) => c.id === this.find("finding").value);
    const size = choice.focal ? Number(this.find("size").value) : null;
    this.problem = choice.focal && !(size > 0) ? `${this.name(choice.id)}: ${this.say("teach_size")}` : "";
    if (this.problem) return;
    const side = choice.midline ? null : this.find("side").value;
    this.entries = this.entries.filter((e) => e.finding !== choice.id || e.side !== side);
    this.entries.push({ finding: choice.id, side, size_mm: size, confidence: Number(this.find("confidence").value) });
  }

  async commit() {
    const reply = await fetch("/teaching/commit", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ entries: this.entries }),
    });
    const body = await reply.json();
    this.asking = false;
    if (!reply.ok) { this.problem = typeof body.detail === "string" ? body.detail : this.say("failed"); this.draw(); return; }
    this.open(body);
    this.done();
  }

  place(item) {
    if (!item) return "";
    return [item.side && this.say(item.side), item.size_mm && `${Math.round(item.size_mm)} mm`].filter(Boolean).join(", ");
  }

  result() {
    const say = this.say;
    const { feedback, machine, summary } = this.view;
    const cell = (text) => `<td>${text}</td>`;
    const rows = feedback.map((f) => {
      const you = f.entry ? safe(this.place(f.entry) || "✓") + ` <span class="note">${f.entry.confidence}/5</span>` : `<span class="note">${say("teach_not_recorded")}</span>`;
      const calls = f.machine === null ? say("teach_no_detector") : f.machine ? say("teach_called") : say("teach_denied");
      const there = f.truth ? safe(this.place(f.truth) || "✓") : `<span class="note">${say("teach_absent")}</span>`;
      const jump = f.truth && f.truth.slice !== null ? ` <button type="button" class="jump" data-study="ct-1" data-slice="${f.truth.slice}">${say("slice")} ${f.truth.slice}</button>` : "";
      const machineText = machine.abstained ? "–" : calls + (f.machine_side ? `, ${say(f.machine_side)}` : "");
      return `<tr class="${f.outcome}"><th scope="row">${safe(this.name(f.finding))}</th>${cell(you)}${cell(machineText)}${cell(there + jump)}${cell(safe(this.zh() ? f.text_zh : f.text))}</tr>`;
    }).join("");
    const told = new Set(feedback.map((f) => f.finding));
    const also = machine.called.filter((c) => !told.has(c.finding)).map((c) => `${this.name(c.finding)} (${c.score.toFixed(2)})`);
    const basis = machine.abstained ? `${say("teach_abstained")} ${(this.zh() && machine.abstained_zh) || machine.abstained}` : this.zh() ? machine.basis_zh : machine.basis;
    const heads = ["teach_finding", "teach_you", "teach_machine", "teach_truth", "teach_feedback"].map((key) => `<th>${say(key)}</th>`).join("");
    return `<h3>${say("teach_done")}</h3><p><b>${safe(this.zh() ? summary.text_zh : summary.text)}</b></p>
      <div class="teach-table"><table><thead><tr>${heads}</tr></thead><tbody>${rows}</tbody></table></div>
      ${also.length ? `<p>${say("teach_also")} ${safe(also.join(", "))}</p>` : ""}<p class="note">${safe(basis)}</p>`;
  }
}

function safe(text) {
  const node = document.createElement("i");
  node.textContent = text ?? "";
  return node.innerHTML;
}
