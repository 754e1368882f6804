// The case on one page for three audiences; every line opens its sources.
import { ask, fill, safe, save, typeset } from "./words.js";

const AUDIENCES = ["ward", "handover", "tumour_board"];

export class Summary {
  constructor(say, drawer) {
    this.say = say;
    this.drawer = drawer;
    this.audience = "ward";
    this.page = null;
    this.open_ = false;
    this.element = document.createElement("div");
    this.element.className = "summary";
    this.element.addEventListener("click", (event) => this.click(event));
    this.draw();
  }

  // Nothing is computed before the tab is looked at.
  open(key) {
    if (key === this.caseOf) return;
    this.caseOf = key;
    Object.assign(this, { page: null, problem: "", open_: Boolean(key) });
    this.draw();
    this.shown();
  }

  shown() { if (document.body.dataset.talk === "summary" && this.open_ && !this.page && !this.busy) this.load(); }

  async load() {
    const asked = `${this.caseOf}/${this.audience}`;
    this.busy = true;
    this.draw();
    const reply = await ask(`/summary/${this.audience}`);
    this.busy = false;
    if (asked !== `${this.caseOf}/${this.audience}`) { this.shown(); return; }
    Object.assign(this, { page: reply.ok ? reply.found : null, problem: reply.problem });
    this.draw();
  }

  click(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const { act } = button.dataset;
    if (act === "for") { this.audience = button.dataset.for; this.page = null; this.draw(); this.load(); }
    else if (act === "source") this.drawer.open(button, `/summary/${this.audience}/source/${encodeURIComponent(button.dataset.key)}`);
    else if (act === "export") save(`/summary/${this.audience}/file/${button.dataset.form}`).then((problem) => { this.problem = problem; this.draw(); });
  }

  draw() {
    const { say, page } = this;
    const zh = say("language") === "zh";
    if (!this.open_) { this.element.innerHTML = `<p class="note">${say("sum_no_case")}</p>`; return; }
    const choices = AUDIENCES.map((a) => `<button type="button" data-act="for" data-for="${a}" aria-pressed="${a === this.audience}">${say(`sum_${a}`)}</button>`).join("");
    const files = ["pdf", "docx", "md"].map((f) => `<button type="button" class="quiet" data-act="export" data-form="${f}">${f === "md" ? "Markdown" : f.toUpperCase()}</button>`).join("");
    const head = `<div class="summary-head"><span class="group" role="group" aria-label="${say("sum_for")}">${choices}</span><span class="group" role="group" aria-label="${say("rep_export")}"><span class="note">${say("rep_export")}</span>${files}</span></div><p class="report-problem" role="alert">${safe(this.problem ?? "")}</p>`;
    const body = page ? page.sections.map((s) => this.section(s, zh)).join("") + `<p class="note">${say("sum_rules")}</p>` : this.busy ? `<p role="status" class="note busy">${say("sum_making")}</p>` : "";
    this.element.innerHTML = `${head}${page ? `<h2>${safe(zh ? page.title_zh : page.title)}</h2>` : ""}${body}`;
  }

  section(section, zh) {
    const { say } = this;
    const tagged = ["problems", "contradictions"].includes(section.name);
    const sources = new Map(this.page.evidence.map((e, n) => [e.key, [n + 1, e.source]]));
    const mark = (key, [n, source]) => `<button type="button" class="source" data-act="source" data-key="${safe(key)}" title="${safe(source)}" aria-label="${say("rep_source")} ${n}: ${safe(source)}">${n}</button>`;
    const rows = section.lines.map((x) => {
      const tag = tagged && x.level !== "background" ? `<em class="tag level">${say(`sum_level_${x.level}`)}</em> ` : "";
      const marks = x.evidence.filter((key) => sources.has(key)).map((key) => mark(key, sources.get(key))).join("");
      return `<li class="${x.level}">${tag}<span>${safe(typeset(zh ? x.text_zh : x.text))}</span> <span class="marks">${marks}</span></li>`;
    }).join("");
    const more = section.more ? `<p class="note">${fill(say("sum_more"), { n: section.more })}</p>` : "";
    return `<section class="summary-section ${section.name}"><h3>${safe(zh ? section.heading_zh : section.heading)}</h3>${rows ? `<ul>${rows}</ul>` : `<p class="note">${say("sum_none")}</p>`}${more}</section>`;
  }
}
