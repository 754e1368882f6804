// Panels that the server draws: fetched when they are first looked at, and again after the case or the conversation changed.

const NAMES = ["labs", "drugs", "timeline", "evidence", "settings"];

export class Panels {
  constructor(say) {
    this.say = say;
    this.fresh = new Map(); // name -> promise of its drawing
    this.supposed = {};
    document.addEventListener("input", (event) => this.input(event));
    document.addEventListener("change", (event) => this.change(event));
    document.addEventListener("click", (event) => {
      if (event.target.id === "docs-add") document.querySelector("#docs-input").click();
      const gone = event.target.closest?.("[data-doc]")?.dataset.doc;
      if (gone) this.document(`/documents/${encodeURIComponent(gone)}`, { method: "DELETE" });
      if (event.target.closest?.("#whatif-reset")) { this.supposed = { condition: this.supposed.condition }; this.draw("drugs"); }
    });
  }

  // Forget what is shown: at once empty, so that nothing of the former case stays in view.
  stale(all = true) {
    this.fresh.clear();
    if (all) this.supposed = {};
    for (const name of NAMES) {
      const host = document.querySelector(`#${name}-host`);
      if (host && all) host.replaceChildren();
    }
    this.show(document.body.dataset.work);
  }

  async show(name) {
    if (!NAMES.includes(name)) return;
    await (this.fresh.get(name) ?? this.draw(name));
  }

  draw(name) {
    const drawing = this.fetched(name);
    this.fresh.set(name, drawing);
    return drawing;
  }

  async fetched(name) {
    const host = document.querySelector(`#${name}-host`);
    if (!host) { this.fresh.delete(name); return; }
    host.setAttribute("aria-busy", "true");
    if (!host.childElementCount) host.innerHTML = `<p class="note">${this.say("loading")}</p>`;
    const query = name === "drugs" ? `?${new URLSearchParams(Object.entries(this.supposed).filter(([, v]) => v))}` : "";
    const asked = (this.asked = Symbol(name));
    const reply = await fetch(`/panel/${name}${query}`);
    const body = reply.ok ? await reply.text() : `<p class="note">${this.say("failed")}</p>`;
    if (asked !== this.asked && name === "drugs") return;
    const focused = document.activeElement?.id;
    host.innerHTML = body;
    host.removeAttribute("aria-busy");
    if (focused?.startsWith("whatif")) document.getElementById(focused)?.focus();
  }

  input(event) {
    if (event.target.id === "whatif-egfr") document.querySelector("#whatif-egfr-shown").textContent = event.target.value;
    if (event.target.id === "evidence-find") {
      const wanted = event.target.value.trim().toLowerCase();
      for (const row of document.querySelectorAll("#evidence-host .cited li")) row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
    }
  }

  change(event) {
    const { id, value } = event.target;
    if (id === "docs-input") { this.documents([...event.target.files]); return; }
    if (event.target.classList?.contains("lane")) {
      for (const row of document.querySelectorAll(`#timeline-host [data-lane="${value}"]`)) row.hidden = !event.target.checked;
    }
    if (id === "whatif-egfr") this.supposed.egfr = value;
    else if (id === "whatif-allergy") this.supposed.allergy = value;
    else if (id === "whatif-pregnant") this.supposed.pregnant = value === "record" ? "" : value;
    else if (id === "rank-condition") this.supposed.condition = value;
    else return;
    this.draw("drugs");
  }

  async documents(files) {
    for (const file of files) {
      document.querySelector("#docs-state").textContent = this.say("docs_reading").replace("{name}", file.name);
      const told = await this.document(`/documents?${new URLSearchParams({ name: file.name })}`, { method: "POST", body: file });
      if (!told) return;
    }
  }

  async document(address, options) {
    const reply = await fetch(address, options);
    const told = reply.ok ? await reply.json() : { ok: false, problem: this.say("failed") };
    if (told.ok) await this.draw("settings");
    else document.querySelector("#docs-state").textContent = told.problem;
    return told.ok;
  }

  // Show the row of a laboratory value and let it be noticed.
  async row(key) {
    await this.show("labs");
    const row = document.getElementById(`row-${key}`);
    if (!row) return;
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
    row.classList.add("found");
    setTimeout(() => row.classList.remove("found"), 2500);
  }
}
