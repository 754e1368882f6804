// The conversation: chips and buttons ask, answers are copied, judged and asked again, earlier conversations come back; the clock of a turn.

export class Talk {
  constructor(say, sync) {
    this.say = say;
    this.sync = sync;
    this.questions = 0;
    this.pinned = false;
    new MutationObserver(() => this.pin()).observe(document.body, { childList: true, subtree: true });
    for (const kind of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      document.addEventListener(kind, (event) => { if (event.target.closest?.("#chat")) this.pinned = false; }, { passive: true });
    }
    document.addEventListener("click", (event) => this.click(event));
    document.addEventListener("toggle", (event) => { if (event.target.id === "talks" && event.target.open) this.list(); }, true);
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") document.querySelector("#talks[open]")?.removeAttribute("open"); });
    setInterval(() => this.tick(), 250);
  }

  get box() { return document.querySelector("#question textarea"); }

  write(text) {
    const box = this.box;
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, text);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // Ask as if it had been typed; the button may not be pressed while another question runs.
  async ask(text) {
    this.write(text);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)));
    const send = document.querySelector("#send");
    if (send?.disabled) this.box.focus();
    else send?.click();
  }

  click(event) {
    const chip = event.target.closest?.("[data-ask]");
    const act = event.target.closest?.(".act");
    const talk = event.target.closest?.("#talks-list [data-thread]");
    if (chip) this.ask(chip.dataset.ask);
    else if (act) this.act(act);
    else if (talk) this.talk(talk);
    else if (!event.target.closest?.("#talks")) document.querySelector("#talks[open]")?.removeAttribute("open");
  }

  question(turn) { return document.querySelectorAll("#chat .question")[turn]?.innerText ?? ""; }

  async act(button) {
    const turn = Number(button.dataset.turn);
    switch (button.dataset.do) {
      case "copy": {
        const reply = await fetch(`/turn/${turn}/text`);
        if (reply.ok) await this.copy(await reply.text(), button);
        break;
      }
      case "retry": this.ask(this.question(turn)); break;
      case "edit": this.write(this.question(turn)); this.box.focus(); break;
      default: this.judge(button, turn);
    }
  }

  async copy(text, button) {
    try { await navigator.clipboard.writeText(text); } catch {
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.textContent;
    button.textContent = this.say("copied");
    setTimeout(() => { button.textContent = before; }, 1500);
  }

  judge(button, turn) {
    document.querySelector("#judge")?.remove();
    const form = document.createElement("form");
    form.id = "judge";
    form.innerHTML = `<label><span></span><textarea rows="2" maxlength="2000"></textarea></label><button type="submit" class="strong"></button> <button type="button" class="quiet"></button>`;
    form.querySelector("span").textContent = this.say("comment");
    const [send, cancel] = form.querySelectorAll("button");
    send.textContent = this.say("send");
    cancel.textContent = this.say("cancel");
    const leave = () => { form.remove(); button.focus(); };
    cancel.addEventListener("click", leave);
    form.addEventListener("keydown", (event) => { if (event.key === "Escape") leave(); });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const word = { turn, verdict: button.dataset.do, comment: form.querySelector("textarea").value };
      const reply = await fetch("/feedback", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(word) });
      const said = reply.ok ? (await reply.json()).said : this.say("failed");
      form.replaceChildren(Object.assign(document.createElement("p"), { className: "note", textContent: said, role: "status" }));
      setTimeout(() => form.remove(), 4000);
    });
    // Outside of what Gradio draws: a new message would take the form away.
    document.querySelector("#ask-row").before(form);
    form.querySelector("textarea").focus();
  }

  async list() {
    const place = document.querySelector("#talks-list");
    const reply = await fetch("/talks");
    const rows = reply.ok ? await reply.json() : [];
    place.replaceChildren(...rows.map((row) => this.row(row)));
    if (!rows.length) place.innerHTML = `<p class="note">${this.say("talks_none")}</p>`;
  }

  row(row) {
    const line = document.createElement("div");
    line.className = "talk";
    const open = Object.assign(document.createElement("button"), { type: "button", className: "open" });
    open.dataset.thread = row.thread;
    open.textContent = row.open ? `${row.title} (${this.say("now_open")})` : row.title;
    const gone = Object.assign(document.createElement("button"), { type: "button", className: "gone", textContent: "✕" });
    gone.dataset.thread = row.thread;
    gone.dataset.gone = "1";
    gone.setAttribute("aria-label", `${this.say("delete_talk")}: ${row.title}`);
    line.append(open, gone);
    return line;
  }

  async talk(button) {
    const { thread, gone } = button.dataset;
    if (gone && !window.confirm(this.say("delete_sure"))) return;
    const reply = await fetch(gone ? `/talks/${encodeURIComponent(thread)}` : `/talks/${encodeURIComponent(thread)}/open`, { method: gone ? "DELETE" : "POST" });
    const told = reply.ok ? await reply.json() : { ok: false, problem: this.say("failed") };
    if (!told.ok) { document.querySelector("#talks-list").textContent = told.problem; return; }
    if (gone) this.list();
    else document.querySelector("#talks").removeAttribute("open");
    this.sync();
  }

  tick() {
    for (const clock of document.querySelectorAll("time.elapsed")) {
      const shown = `${Math.max(0, Date.now() / 1000 - Number(clock.dataset.since)).toFixed(0)} ${this.say("seconds")}`;
      if (clock.textContent !== shown) clock.textContent = shown;
    }
  }

  // A new question goes to the top of the conversation and stays there while its answer grows, until the reader scrolls.
  pin() {
    const shown = document.querySelectorAll("#chat .question");
    if (shown.length > this.questions) this.pinned = true;
    this.questions = shown.length;
    const scroller = document.querySelector("#chat [role=log]");
    const last = shown[this.questions - 1];
    if (this.pinned && last && scroller) scroller.scrollTop += last.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 12;
  }
}
