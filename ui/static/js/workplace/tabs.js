// Tabs of the page: conversation side, record side, and the three parts of a phone. Which is open stands in data attributes of the body,
// so that a panel drawn anew is shown or hidden by the style sheet alone.

const START = { talk: "chat", work: "ct", phone: "chat" };

export class Tabs {
  constructor(opened) {
    this.opened = opened; // called with group and name after a change
    for (const [group, name] of Object.entries(START)) document.body.dataset[group] = name;
    document.addEventListener("click", (event) => {
      const tab = event.target.closest?.("[role=tab][data-tab]");
      if (tab) this.open(tab.closest("[data-group]").dataset.group, tab.dataset.tab);
    });
    document.addEventListener("keydown", (event) => this.key(event));
  }

  open(group, name) {
    document.body.dataset[group] = name;
    if (group === "phone") this.phone(name);
    else if (group === "talk" && name === "teach") document.body.dataset.phone = "chat";
    this.mark();
    this.opened(group, name);
  }

  // On a phone the record tabs and the CT share one column.
  phone(name) {
    if (name === "ct") document.body.dataset.work = "ct";
    if (name === "patient" && document.body.dataset.work === "ct") document.body.dataset.work = "labs";
    if (name !== "chat") this.opened("work", document.body.dataset.work);
  }

  // A link of an answer shows its panel, whatever is open.
  show(work) {
    document.body.dataset.phone = work === "ct" ? "ct" : "patient";
    this.open("work", work);
  }

  mark() {
    for (const list of document.querySelectorAll("[role=tablist][data-group]")) {
      const group = list.dataset.group;
      for (const tab of list.querySelectorAll("[role=tab]")) {
        const on = tab.dataset.tab === document.body.dataset[group];
        const panel = document.querySelector(`#panel-${tab.dataset.tab}`);
        if (tab.getAttribute("aria-selected") !== String(on)) tab.setAttribute("aria-selected", String(on));
        tab.tabIndex = on ? 0 : -1;
        if (group === "phone" || !panel) continue;
        if (panel.getAttribute("role") !== "tabpanel") {
          panel.setAttribute("role", "tabpanel");
          panel.setAttribute("aria-labelledby", tab.id);
          tab.setAttribute("aria-controls", panel.id);
        }
      }
    }
  }

  key(event) {
    const tab = event.target.closest?.("[role=tab][data-tab]");
    if (!tab) return;
    const all = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
    const at = all.indexOf(tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = all[(to + all.length) % all.length];
    next.focus();
    this.open(next.closest("[data-group]").dataset.group, next.dataset.tab);
  }
}
