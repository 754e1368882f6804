// The dialog that opens a case. Files go up one by one with their progress and wait on the server; what they would bring is shown with the
// differences to decide; only then is one case opened. The open case stays until that has worked.

const post = (address, body) => fetch(address, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}) });

export class Opening {
  constructor(say, busy, opened) {
    this.say = say;
    this.busy = busy; // called before the open case may change
    this.opened = opened; // called after it has changed, or has not
    this.chosen = {};
    this.dialog = document.createElement("dialog");
    this.dialog.id = "opening";
    this.dialog.setAttribute("aria-labelledby", "opening-title");
    document.body.append(this.dialog);
    this.dialog.addEventListener("click", (event) => this.click(event));
    this.dialog.addEventListener("change", (event) => this.change(event));
    this.dialog.addEventListener("close", () => document.querySelector("#open-case")?.focus());
    document.addEventListener("click", (event) => {
      const wanted = event.target.closest?.("[data-open]")?.dataset.open;
      if (event.target.closest?.("#open-case") || wanted) this.show(wanted);
    });
    document.addEventListener("medmpt:open-case", (event) => this.change_case(() => post("/opening/open", { source: event.detail.id })));
    for (const kind of ["dragover", "drop"]) {
      document.addEventListener(kind, (event) => {
        if (!event.dataTransfer?.types?.includes("Files")) return;
        event.preventDefault();
        if (kind === "drop") this.dropped(event.dataTransfer);
        else if (!this.dialog.open) this.show("files");
      });
    }
  }

  find(name) { return this.dialog.querySelector(`#opening-${name}`); }

  async show(place) {
    if (this.dialog.open) { await this.drawn; return; }
    this.drawn = this.fill(place);
    await this.drawn;
  }

  async fill(place) {
    this.chosen = {};
    this.dialog.innerHTML = `<header><h2 id="opening-title">${this.say("open_title")}</h2></header><p class="note">${this.say("loading")}</p>`;
    this.dialog.showModal();
    const reply = await fetch("/opening/cases");
    const cases = reply.ok ? await reply.json() : { demo: [], teaching: [], recent: [], staged: [], has_case: false };
    this.draw(cases);
    if (!reply.ok) this.tell(this.say("failed"));
    if (cases.staged.length) this.preview();
    if (place === "paste") this.find("text").focus();
    else if (place === "files") this.find("choose").focus();
  }

  draw(cases) {
    const say = this.say;
    const title = (row) => `<b>${safe(row.case ?? row.title)}</b>${row.case ? `<span class="note">${safe(row.title)}</span>` : ""}`;
    const entry = (row) => `<li><button type="button" data-source="${safe(row.source)}"${row.open ? ' aria-current="true"' : ""}>${title(row)}</button></li>`;
    const entries = (rows) => `<ul class="cases">${rows.map(entry).join("")}</ul>`;
    const levels = (rows) => [...new Set(rows.map((row) => row.level ?? 0))].sort().map((n) => (n ? `<h4>${say("teach_level")} ${n} · ${say(`teach_level_${n}`)}</h4>` : "") + entries(rows.filter((row) => (row.level ?? 0) === n))).join("");
    const list = (name, rows) => (rows.length ? `<section class="open-${name}"><h3>${say(`open_${name}`)}</h3><div class="rows">${levels(rows)}</div></section>` : "");
    this.hasCase = cases.has_case;
    // Own files beside a case that ships belong to somebody else, as a rule: opening them by themselves comes first then.
    const shipped = [...cases.demo, ...cases.teaching].some((row) => row.open);
    const adds = `<button type="button" class="${shipped ? "quiet" : "strong"}" id="opening-add">${say(cases.has_case ? "open_add" : "open_go")}</button>`;
    const opens = cases.has_case ? `<button type="button" class="${shipped ? "strong" : "quiet"}" id="opening-new">${say("open_new")}</button>` : "";
    this.dialog.innerHTML = `<header><h2 id="opening-title">${say("open_title")}</h2><button type="button" id="opening-close" aria-label="${say("close")}">✕</button></header>
      <div id="opening-told" role="alert"></div>
      <div class="ways"><div class="known">${list("demo", cases.demo)}${list("recent", cases.recent)}${list("teaching", cases.teaching)}
        ${cases.has_case ? `<button type="button" class="quiet" id="opening-none">${say("open_close")}</button>` : ""}</div>
      <div class="own"><h3>${say("open_files")}</h3><div id="opening-drop"><p>${say("open_drop")}</p>
        <button type="button" class="strong" id="opening-choose">${say("open_choose")}</button> <button type="button" class="quiet" id="opening-folder">${say("open_folder")}</button>
        <input type="file" id="opening-input" multiple hidden><input type="file" id="opening-folders" webkitdirectory hidden></div>
        <p class="note">${say("open_kinds")}</p>
        <label class="paste">${say("open_paste")}<textarea id="opening-text" rows="4"></textarea></label>
        <button type="button" class="quiet" id="opening-take">${say("open_take")}</button>
        <progress id="opening-progress" max="100" value="0" hidden></progress><p id="opening-state" class="note" role="status"></p></div></div>
      <section id="opening-preview" hidden><h3>${say("open_preview")}</h3><div id="opening-what"></div>
        <div class="go">${shipped ? opens + adds : adds + opens}
        <button type="button" class="quiet" id="opening-clear">${say("open_clear")}</button></div></section>`;
  }

  tell(words, kept) {
    this.find("told").innerHTML = words ? `<div class="box failure"><p>${words}</p>${kept ? `<p>${kept}</p>` : ""}</div>` : "";
    if (words) this.find("told").scrollIntoView({ block: "nearest" });
  }

  click(event) {
    const source = event.target.closest("[data-source]")?.dataset.source;
    if (source) { this.change_case(() => post("/opening/open", { source })); return; }
    switch (event.target.id) {
      case "opening-close": this.dialog.close(); break;
      case "opening-choose": this.find("input").click(); break;
      case "opening-folder": this.find("folders").click(); break;
      case "opening-take": this.paste(); break;
      case "opening-add": this.confirm(this.hasCase); break;
      case "opening-new": this.confirm(false); break;
      case "opening-clear": fetch("/opening/files", { method: "DELETE" }).then(() => { this.chosen = {}; this.find("preview").hidden = true; }); break;
      case "opening-none": this.change_case(() => post("/opening/close")); break;
      default: if (event.target === this.dialog) this.dialog.close();
    }
  }

  change(event) {
    if (event.target.type === "file") this.send([...event.target.files]);
    const conflict = event.target.closest("[data-conflict]")?.dataset.conflict;
    if (conflict) { this.chosen[conflict] = Number(event.target.value); this.preview(); }
  }

  async dropped(transfer) {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const files = entries.length ? (await Promise.all(entries.map(walk))).flat() : [...transfer.files];
    await this.show("files");
    await this.send(files);
  }

  async send(files) {
    this.tell("");
    const total = files.reduce((sum, file) => sum + file.size, 0) || 1;
    let before = 0;
    for (const file of files) {
      const told = await this.upload(file, (now) => this.progress(file.name, (100 * (before + now)) / total));
      before += file.size;
      if (!told.ok) { this.tell(told.problem ?? this.say("failed"), told.kept); break; }
    }
    this.find("progress").hidden = true;
    await this.preview();
  }

  progress(name, percent) {
    const bar = this.find("progress");
    bar.hidden = false;
    bar.value = percent;
    this.find("state").textContent = this.say("open_uploading").replace("{name}", name).replace("{percent}", percent.toFixed(0));
  }

  // XMLHttpRequest, because fetch tells nothing of what has gone up.
  upload(file, progress) {
    return new Promise((done) => {
      const call = new XMLHttpRequest();
      call.open("POST", `/opening/files?${new URLSearchParams({ name: file.name })}`);
      for (const [name, value] of Object.entries(window.medmptHeaders())) call.setRequestHeader(name, value);
      call.setRequestHeader("content-type", "application/octet-stream");
      call.upload.addEventListener("progress", (event) => progress(event.loaded));
      call.addEventListener("load", () => { try { done(JSON.parse(call.responseText)); } catch { done({ ok: false }); } });
      call.addEventListener("error", () => done({ ok: false }));
      call.send(file);
    });
  }

  async paste() {
    const text = this.find("text").value;
    if (!text.trim()) { this.find("text").focus(); return; }
    const reply = await post("/opening/paste", { text });
    if (reply.ok) { this.find("text").value = ""; await this.preview(); } else this.tell(this.say("failed"));
  }

  async preview() {
    this.find("state").textContent = this.say("open_reading");
    const reply = await post("/opening/preview", { add: this.hasCase, chosen: this.chosen });
    if (!this.find("state")) return;
    this.find("state").textContent = "";
    if (!reply.ok) { this.tell(this.say("failed")); return; }
    const told = await reply.json();
    this.find("what").innerHTML = told.html;
    this.find("add").disabled = !told.ready;
    if (this.hasCase) this.find("add").hidden = !told.adds;
    if (this.find("new")) this.find("new").disabled = told.adds ? !told.opens : !told.ready;
    this.find("preview").hidden = !told.html;
    this.find("preview").scrollIntoView({ block: "nearest" });
  }

  async confirm(add) {
    await this.change_case(() => post("/opening/confirm", { add, chosen: this.chosen }));
  }

  async change_case(call) {
    if (!this.dialog.open) await this.show();
    this.tell("");
    this.find("state").textContent = this.say("open_reading");
    this.dialog.setAttribute("aria-busy", "true");
    this.busy();
    const reply = await call();
    this.dialog.removeAttribute("aria-busy");
    const told = reply.ok ? await reply.json() : { ok: false, problem: this.say("failed") };
    if (this.find("state")) this.find("state").textContent = "";
    if (told.ok) this.dialog.close();
    else this.tell(told.problem, told.kept);
    this.opened(told);
  }
}

function safe(value) {
  return String(value ?? "").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

async function walk(entry) {
  if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const batch = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!batch.length) break;
    for (const child of batch) found.push(...(await walk(child)));
  }
  return found;
}
