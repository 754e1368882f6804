// The report beside the images: a draft by sections; each sentence shows where it comes from and is accepted, edited or struck. The document
// lives on the server with every version; this script shows it and asks for changes.
import { Signing } from "./signing.js";
import { beside, history, prior, remarks, sentence } from "./rows.js";
import { ask, fill, safe, save, when } from "./words.js";

const FORMS = { sr: "DICOM SR", fhir: "FHIR", md: "Markdown" };
const files = (act, forms) => forms.map((f) => `<button type="button" class="quiet" data-act="${act}" data-form="${f}">${FORMS[f] ?? f.toUpperCase()}</button>`).join("");

export class Report {
  constructor(say, drawer) {
    this.say = say;
    this.drawer = drawer;
    this.element = document.createElement("div");
    this.element.className = "report";
    this.state = { studies: [], study: "", view: null, marks: [], editing: null, adding: null, tracked: true, busy: "", problem: "" };
    this.signing = new Signing(say, (report, name, sha256) => this.send("/report/sign", { report, name, sha256 }));
    this.element.addEventListener("click", (event) => this.click(event));
    this.element.addEventListener("change", (event) => this.changed(event));
    this.element.addEventListener("keydown", (event) => this.key(event));
    // Marks are made on the images beside: whoever comes back from there finds them in the lists.
    this.element.addEventListener("pointerenter", () => { if (this.document && !this.document.signature) this.marks(); });
    this.draw();
  }

  // The studies of the open case, as the viewer lists them; another case forgets everything that was shown.
  async open(listed) {
    const studies = (listed?.studies ?? []).map((s) => ({ id: s.handle, label: s.label }));
    const same = listed?.case && this.caseOf === listed.key && studies.length === this.state.studies.length;
    if (same) return;
    this.caseOf = listed?.key;
    Object.assign(this.state, { studies, study: studies[0]?.id ?? "", view: null, marks: [], editing: null, adding: null, problem: "", open: Boolean(listed?.case) });
    this.draw();
    if (this.state.study) await this.load();
  }

  forget() { this.caseOf = null; Object.assign(this.state, { studies: [], study: "", view: null, open: false }); this.draw(); }

  async load() {
    const { study } = this.state;
    const reply = await ask(`/report?study=${encodeURIComponent(study)}`);
    if (study !== this.state.study) return;
    this.state.view = reply.ok ? reply.found : null;
    this.draw();
  }

  get document() { return this.state.view?.document ?? null; }

  async send(address, body, busy = "") {
    const asked = this.caseOf;
    Object.assign(this.state, { busy, problem: "" });
    if (busy) this.draw();
    const reply = await ask(address, body);
    if (asked !== this.caseOf) return { problem: "" };
    this.state.busy = "";
    if (reply.ok) Object.assign(this.state, { view: reply.found, editing: null, adding: null });
    else this.state.problem = reply.problem;
    this.draw();
    if (!reply.ok && this.document) this.reload();
    return reply;
  }

  async reload() {
    const problem = this.state.problem;
    const reply = await ask(`/report?study=${encodeURIComponent(this.state.study)}`);
    if (reply.ok && reply.found) this.state.view = reply.found;
    this.state.problem = problem;
    this.draw();
  }

  change(edit, focus) {
    this.focus = focus;
    return this.send("/report/change", { report: this.document.id, version: this.document.version, edit });
  }

  click(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const { act, id, section } = button.dataset;
    const area = () => this.element.querySelector("textarea");
    switch (act) {
      case "draft": this.send("/report/draft", { study: this.state.study, language: this.element.querySelector("#report-language")?.value }, this.say("rep_drafting")); break;
      case "accept": this.change({ do: "accept", sentence: id }, id); break;
      case "accept-section": this.change({ do: "accept", section }, null); break;
      case "strike": case "restore": this.change({ do: act, sentence: id }, id); break;
      case "edit": Object.assign(this.state, { editing: id, adding: null }); this.draw(); area()?.focus(); break;
      case "add": Object.assign(this.state, { adding: section, editing: null }); this.draw(); area()?.focus(); break;
      case "cancel": Object.assign(this.state, { editing: null, adding: null }); this.draw(); break;
      case "save": this.keep(area()?.value ?? ""); break;
      case "tracked": this.state.tracked = !this.state.tracked; this.draw(); break;
      case "sign": this.begin(); break;
      case "addend": this.send("/report/addend", { report: this.document.id }); break;
      case "export": this.export(button.dataset.form); break;
      case "talk": this.take(`/conversation/file/${button.dataset.form}`); break;
      case "source": this.drawer.open(button, `/report/${this.document.id}/source/${encodeURIComponent(button.dataset.key)}`); break;
      case "mark": this.drop(this.document.sections.find((s) => s.printed && s.reads === "findings")?.name, Number(button.dataset.number)); break;
      case "find": this.element.querySelector(`[data-sentence="${button.dataset.id}"]`)?.scrollIntoView({ block: "center", behavior: "smooth" }); break;
      default: break;
    }
  }

  keep(text) {
    const { editing, adding } = this.state;
    if (editing) this.change({ do: "edit", sentence: editing, text }, editing);
    else if (adding) this.change({ do: "insert", section: adding, text }, null);
  }

  async changed(event) {
    const { target } = event;
    if (target.id === "report-study") { Object.assign(this.state, { study: target.value, view: null }); this.draw(); await this.load(); }
    else if (target.matches("select.phrase") && target.value) this.change({ do: "insert", section: target.dataset.section, text: target.value, origin: "template" }, null);
    else if (target.matches("select.mark") && target.value) this.drop(target.dataset.section, Number(target.value));
  }

  drop(section, number) {
    const { id: report, version } = this.document;
    this.send(`/report/mark?study=${encodeURIComponent(this.state.study)}`, { report, version, section, number });
  }

  key(event) {
    if (!event.target.matches("textarea")) return;
    if (event.key === "Escape") { Object.assign(this.state, { editing: null, adding: null }); this.draw(); }
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.keep(event.target.value);
  }

  async begin() {
    const reply = await ask("/report/begin", { report: this.document.id });
    this.state.problem = reply.ok ? "" : reply.problem;
    this.draw();
    if (reply.ok) this.signing.show(this.document.id, reply.found);
  }

  async take(address) {
    this.state.problem = await save(address);
    this.draw();
  }

  export(form) { return this.take(`/report/${this.document.id}/file/${form}`); }

  // Marks change on the images; they are asked anew whenever the tab is looked at.
  shown() { if (this.state.study) this.marks(); }

  async marks() {
    const reply = await ask(`/report/marks?study=${encodeURIComponent(this.state.study)}`);
    const found = reply.ok && Array.isArray(reply.found) ? reply.found : [];
    const numbers = (marks) => marks.map((m) => m.number).join();
    if (numbers(found) === numbers(this.state.marks) || this.element.querySelector("textarea")) return;
    this.state.marks = found;
    this.draw();
  }

  draw() {
    const { state, say } = this;
    const scroll = this.element.closest("#panel-report")?.scrollTop ?? 0;
    if (!state.open) this.element.innerHTML = `<p class="note">${say("rep_no_case")}</p>`;
    else if (!state.study) this.element.innerHTML = `<p class="note">${say("rep_no_study")}</p>`;
    else this.element.innerHTML = `${this.head()}<p class="report-problem" role="alert">${safe(state.problem)}</p>${this.body()}`;
    const panel = this.element.closest("#panel-report");
    if (panel) panel.scrollTop = scroll;
    if (this.focus) { this.element.querySelector(`[data-sentence="${this.focus}"] button`)?.focus({ preventScroll: true }); this.focus = null; }
  }

  head() {
    const { state, say, document: doc } = this;
    const studies = state.studies.length > 1
      ? `<label>${say("rep_study")} <select id="report-study">${state.studies.map((s) => `<option value="${safe(s.id)}"${s.id === state.study ? " selected" : ""}>${safe(s.label || s.id)}</option>`).join("")}</select></label>` : "";
    const chosen = doc?.language ?? say("language");
    const languages = `<label>${say("rep_language")} <select id="report-language">${[["en", "English"], ["zh", "中文"]].map(([code, name]) => `<option value="${code}"${code === chosen ? " selected" : ""}>${name}</option>`).join("")}</select></label>`;
    const exports = doc ? `<span class="group" role="group" aria-label="${say("rep_export")}"><span class="note">${say("rep_export")}</span>${files("export", ["pdf", "docx", "md", "fhir", "sr"])}</span>` : "";
    return `<div class="report-head">${studies}${languages}<button type="button" class="${doc ? "quiet" : "strong"}" data-act="draft"${state.busy ? " disabled" : ""}>${say(doc ? "rep_again" : "rep_draft")}</button></div>
      ${state.busy ? `<p role="status" class="note busy">${safe(state.busy)}</p>` : ""}${this.status()}<div class="report-files">${exports}</div>`;
  }

  status() {
    const { view } = this.state;
    const { say, document: doc } = this;
    if (!doc) return "";
    if (doc.signature) {
      const words = fill(say("rep_signed"), { name: safe(doc.signature.name), at: when(doc.signature.at) });
      const here = view.registered ? "" : `<p class="box warn">${say("rep_elsewhere")}</p>`;
      return `<div class="report-state signed"><b>${words}</b><code title="sha256">${doc.signature.sha256.slice(0, 16)}…</code><button type="button" class="quiet" data-act="addend">${say("rep_addend")}</button></div>${here}`;
    }
    const left = doc.sections.filter((s) => s.printed).flatMap((s) => s.sentences).filter((s) => s.state === "proposed").length;
    // The obstacle names sentences by their ids: each becomes the way there.
    const find = (id) => `<button type="button" class="source" data-act="find" data-id="${id}" aria-label="${say("rep_find")}">→</button>`;
    const told = view.obstacle && !left ? safe(view.obstacle).replace(/\bs\d+\b/g, find) : left ? fill(say("rep_open"), { n: left }) : say("rep_ready");
    return `${this.unsaid()}<div class="report-state"><b>${say("rep_preliminary")}</b><span>${told}</span><span class="acts"><button type="button" class="quiet" data-act="tracked" aria-pressed="${this.state.tracked}">${say("rep_tracked")}</button>
      <button type="button" class="strong" data-act="sign"${view.obstacle ? ` disabled title="${safe(view.obstacle)}"` : ""}>${say("rep_sign")}</button></span></div>`;
  }

  // A lesion that was measured and that no sentence of the report speaks of, not even a struck one.
  unsaid() {
    const { say, document: doc } = this;
    const keys = doc.sections.flatMap((s) => s.sentences).flatMap((s) => s.evidence);
    const rows = this.state.marks.filter((m) => !keys.some((key) => key.endsWith(`-mark-${m.number}`)));
    if (!rows.length || doc.amends) return "";
    const words = (m) => safe(fill(say("rep_mark_n"), { n: m.number, long: m.lesion.long_mm.toFixed(0), short: m.lesion.short_mm.toFixed(0) }));
    return `<div class="report-marks box warn"><b>${say("rep_unsaid")}</b>${rows.map((m) => `<button type="button" class="quiet" data-act="mark" data-number="${m.number}">+ ${words(m)}</button>`).join("")}</div>`;
  }

  body() {
    const { state, say, document: doc } = this;
    const talk = `<div class="report-files"><span class="group" role="group" aria-label="${say("rep_export_talk")}"><span class="note">${say("rep_export_talk")}</span>${files("talk", ["pdf", "docx", "md"])}</span></div>`;
    if (!doc) return state.busy ? "" : `<p class="note">${say("rep_none")}</p>${talk}`;
    const amends = doc.amends ? `<p class="box">${fill(say("rep_addendum_to"), { id: safe(doc.amends.id), name: safe(doc.amends.name) })}</p>` : "";
    const sections = doc.sections.filter((s) => s.printed).map((s) => this.section(s)).join("");
    return `${amends}<h2>${safe(doc.title)}</h2>${sections}${prior(say, doc)}${doc.signature ? "" : remarks(say, state.view.remarks)}${beside(say, doc)}${history(say, doc)}${talk}`;
  }

  section(section) {
    const { state, say, document: doc } = this;
    const free = !doc.signature;
    if (!free && !section.sentences.some((s) => s.state !== "struck")) return "";
    const proposed = section.sentences.some((s) => s.state === "proposed");
    const accept = free && proposed ? `<button type="button" class="quiet" data-act="accept-section" data-section="${section.name}">${say("rep_accept_section")}</button>` : "";
    const rows = section.sentences.map((s) => sentence(say, s, doc, state)).join("");
    return `<section class="report-section" data-section="${section.name}"><header><h3>${safe(section.heading)}</h3>${accept}</header><ul>${rows || `<li class="note">${say("rep_empty")}</li>`}</ul>${free ? this.tools(section) : ""}</section>`;
  }

  tools(section) {
    const { state, say } = this;
    if (state.adding === section.name) {
      return `<div class="report-write"><textarea rows="2" aria-label="${say("rep_add")}"></textarea><button type="button" class="strong" data-act="save">${say("rep_save")}</button><button type="button" class="quiet" data-act="cancel">${say("rep_cancel")}</button></div>`;
    }
    const phrases = section.phrases.length
      ? `<select class="phrase" data-section="${section.name}" aria-label="${say("rep_phrase")}"><option value="">${say("rep_phrase")}</option>${section.phrases.map((p) => `<option>${safe(p)}</option>`).join("")}</select>` : "";
    const marks = section.reads === "findings" && state.marks.length
      ? `<select class="mark" data-section="${section.name}" aria-label="${say("rep_mark")}"><option value="">${say("rep_mark")}</option>${state.marks.map((m) => `<option value="${m.number}">${safe(fill(say("rep_mark_n"), { n: m.number, long: m.lesion.long_mm.toFixed(0), short: m.lesion.short_mm.toFixed(0) }))}</option>`).join("")}</select>` : "";
    return `<div class="report-tools"><button type="button" class="quiet" data-act="add" data-section="${section.name}">+ ${say("rep_add")}</button>${phrases}${marks}</div>`;
  }
}
