// The frame: light or dark, the width of the conversation, and what a sentence rests on while the pointer or the focus is on it.

export function shade() {
  const root = document.body;
  const kept = localStorage.getItem("medmpt-shade");
  if (kept) root.classList.toggle("dark", kept === "dark");
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#shade")) return;
    const dark = root.classList.toggle("dark");
    localStorage.setItem("medmpt-shade", dark ? "dark" : "light");
  });
}

export function splitter(say) {
  const columns = document.querySelector("#columns");
  const talk = document.querySelector("#talk-column"); // Gradio draws it some moments after its frame
  if (!talk || columns.querySelector("#splitter")) return;
  const bar = document.createElement("div");
  bar.id = "splitter";
  bar.setAttribute("role", "separator");
  bar.setAttribute("aria-orientation", "vertical");
  bar.setAttribute("aria-valuemin", "25");
  bar.setAttribute("aria-valuemax", "75");
  bar.tabIndex = 0;
  const set = (percent) => {
    const at = Math.min(75, Math.max(25, percent));
    columns.style.setProperty("--mm-talk", `${at}%`);
    bar.setAttribute("aria-valuenow", at.toFixed(0));
    localStorage.setItem("medmpt-width", at.toFixed(1));
  };
  bar.setAttribute("aria-label", say("splitter"));
  talk.after(bar);
  bar.setAttribute("aria-valuenow", "44");
  const kept = Number(localStorage.getItem("medmpt-width"));
  if (kept) set(kept);
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
    if (step) { event.preventDefault(); set(Number(bar.getAttribute("aria-valuenow")) + step); }
  });
  bar.addEventListener("pointerdown", (event) => {
    bar.setPointerCapture(event.pointerId);
    const move = (at) => { const box = columns.getBoundingClientRect(); set((100 * (at.clientX - box.left)) / box.width); };
    bar.addEventListener("pointermove", move);
    bar.addEventListener("pointerup", () => bar.removeEventListener("pointermove", move), { once: true });
  });
}

// The quote behind a citation, on hover and on focus; the full passage opens with a click.
export function tooltip() {
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.body.append(tip);
  const show = (event) => {
    const mark = event.target.closest?.("button.cite[data-quote]");
    if (!mark) { tip.hidden = true; return; }
    const how = mark.closest(".say")?.dataset.how;
    tip.replaceChildren(...[how, mark.dataset.quote, mark.dataset.source].filter(Boolean).map((words, i) => Object.assign(document.createElement(i === 1 || !how && i === 0 ? "q" : "span"), { textContent: words })));
    tip.hidden = false;
    const at = mark.getBoundingClientRect();
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(at.left, innerWidth - box.width - 8))}px`;
    tip.style.top = `${at.bottom + box.height + 8 > innerHeight ? at.top - box.height - 6 : at.bottom + 6}px`;
  };
  document.addEventListener("pointerover", show);
  document.addEventListener("focusin", show);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
  document.addEventListener("scroll", () => { tip.hidden = true; }, true);
}

// The columns take what the header and the patient bar leave of the window.
export function fit() {
  const set = () => {
    const columns = document.querySelector("#columns");
    if (columns) document.documentElement.style.setProperty("--mm-top", `${Math.round(columns.getBoundingClientRect().top + scrollY)}px`);
  };
  const bar = document.querySelector("#patient-bar");
  if (!bar || bar.dataset.fits) return;
  bar.dataset.fits = "1";
  new ResizeObserver(set).observe(bar);
  addEventListener("resize", set);
  set();
}

// On a phone the banner shows the beginning of what is urgent until it is asked for the rest.
export function banner() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".urgent .whole");
    if (button) button.setAttribute("aria-expanded", String(button.parentElement.classList.toggle("open")));
  });
}
