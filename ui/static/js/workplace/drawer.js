// The drawer at the side: a passage with the words of the sentence marked, or the card of a drug.

export class Drawer {
  constructor(say) {
    this.say = say;
    this.from = null;
    this.element = document.createElement("aside");
    this.element.id = "drawer";
    this.element.setAttribute("role", "dialog");
    this.element.setAttribute("aria-modal", "false");
    this.element.hidden = true;
    this.element.innerHTML = '<button type="button" id="drawer-close"></button><div id="drawer-body" tabindex="-1"></div>';
    document.body.append(this.element);
    document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !this.element.hidden) this.close(); });
  }

  passage(button) {
    const said = button.closest(".say")?.cloneNode(true);
    for (const mark of said?.querySelectorAll(".marks, .tag") ?? []) mark.remove();
    const query = said ? `?${new URLSearchParams({ said: said.textContent.trim().slice(0, 600) })}` : "";
    return this.open(button, `/evidence/${encodeURIComponent(button.dataset.key)}${query}`);
  }

  drug(button) { return this.open(button, `/panel/drug/${encodeURIComponent(button.dataset.drug)}`); }

  async open(button, address) {
    if (!this.element.contains(button)) this.from = button;
    this.address = address;
    const body = this.element.querySelector("#drawer-body");
    this.element.setAttribute("aria-label", this.say("source"));
    this.element.querySelector("#drawer-close").setAttribute("aria-label", this.say("close"));
    body.innerHTML = `<p class="note">${this.say("loading")}</p>`;
    this.element.hidden = false;
    const reply = await fetch(address);
    if (address !== this.address) return;
    if (reply.ok) body.innerHTML = await reply.text();
    else body.textContent = this.say("failed");
    this.element.scrollTop = 0;
    const marked = body.querySelector("mark");
    marked?.scrollIntoView({ block: "center" });
    body.focus({ preventScroll: true });
  }

  again() { if (!this.element.hidden && this.from) this.open(this.from, this.address); }

  close() {
    this.element.hidden = true;
    this.address = null;
    if (this.from?.isConnected) this.from.focus();
    this.from = null;
  }
}
