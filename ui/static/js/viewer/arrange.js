// Which panes are shown where, and how large: methods of the viewer.

const NARROW = 560; // below this width panes stand on each other; on a screen that narrow one is shown at a time

export const arranging = {
  maximise(name) { this.setLayout(this.layout === name ? "all" : name === "prior" ? "pair" : name); },

  widen() {
    this.element.classList.toggle("wide");
    this.bar.state();
    this.arrange();
  },

  // Which panes are shown where: three around one crosshair, one alone, or two studies side by side.
  arrange() {
    const width = this.element.clientWidth;
    const narrow = width > 0 && width < NARROW && !this.element.classList.contains("wide");
    const phone = window.innerWidth < NARROW;
    const kind = this.layout === "all" && phone ? "axial" : this.layout;
    Object.assign(this, { kind, phone });
    const names = kind === "all" ? this.order.filter((name) => name !== "prior") : kind === "pair" ? ["axial", "prior"] : [kind];
    this.grid.dataset.kind = kind === "all" ? (narrow ? "stacked" : "beside") : kind === "pair" ? "pair" : "one";
    for (const pane of this.panes) {
      const place = names.indexOf(pane.name);
      pane.element.hidden = place < 0;
      pane.element.style.order = place;
      pane.element.dataset.place = place;
      pane.large.setAttribute("aria-pressed", String(kind === pane.name));
    }
    this.split.hidden = this.grid.dataset.kind === "one";
    this.share();
    this.bar.state();
    this.refresh();
  },

  swap(one, two) {
    const [a, b] = [this.order.indexOf(one), this.order.indexOf(two)];
    if (a < 0 || b < 0) return;
    [this.order[a], this.order[b]] = [two, one];
    this.arrange();
  },

  shift(name, by) {
    const shown = this.order.filter((one) => one !== "prior");
    const other = shown[shown.indexOf(name) + by];
    if (other) this.swap(name, other);
  },

  // The first pane's share of the stage, remembered per arrangement.
  share(value) {
    const { kind } = this.grid.dataset;
    this.shares = { beside: 60, stacked: 60, pair: 50, ...this.shares };
    if (value !== undefined) this.shares[kind] = Math.max(20, Math.min(80, value));
    const now = this.shares[kind] ?? 60;
    this.ui.stage.style.setProperty("--share", `${now}%`);
    this.split.setAttribute("aria-valuenow", String(Math.round(now)));
    return now;
  },

  splitter() {
    this.split.addEventListener("pointerdown", (event) => this.split.setPointerCapture(event.pointerId));
    this.split.addEventListener("pointermove", (event) => {
      if (!this.split.hasPointerCapture(event.pointerId)) return;
      const box = this.grid.getBoundingClientRect();
      this.share(this.grid.dataset.kind === "stacked" ? ((event.clientY - box.top) / box.height) * 100 : ((event.clientX - box.left) / box.width) * 100);
    });
    this.split.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -5, ArrowUp: -5, ArrowRight: 5, ArrowDown: 5 }[event.key];
      if (by) { event.preventDefault(); this.share(this.share() + by); }
    });
  },
};
