// One tab, one page: an id of this tab alone travels with every request, so that two tabs of one browser never share a patient.
// It lives in sessionStorage (a reload keeps it); a duplicated tab finds it taken and draws its own. The open case travels too: a page
// that shows another case than the server holds is refused instead of answered.
(() => {
  const KEY = "medmpt-page";
  const draw = () => Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const take = () => { const id = draw(); sessionStorage.setItem(KEY, id); return id; };
  let id = sessionStorage.getItem(KEY) ?? take();
  const held = navigator.locks
    ? new Promise((done) => {
        navigator.locks.request(`${KEY}-${id}`, { ifAvailable: true }, (lock) => {
          if (!lock) id = take();
          done();
          return lock ? new Promise(() => {}) : undefined;
        });
      })
    : Promise.resolve();
  const plain = window.fetch.bind(window);
  window.medmptHeaders = () => {
    const card = document.querySelector("#patient-bar [data-case]");
    const shown = window.medmptOpened ?? card?.dataset.case; // the bar follows some moments after a case was opened
    return { "x-medmpt-page": id, ...(shown ? { "x-medmpt-case": shown } : {}) };
  };
  window.fetch = async (target, options) => {
    const url = new URL(target instanceof Request ? target.url : target, location.href);
    if (url.origin !== location.origin) return plain(target, options);
    await held;
    const headers = new Headers(options?.headers ?? (target instanceof Request ? target.headers : undefined));
    for (const [name, value] of Object.entries(window.medmptHeaders())) headers.set(name, value);
    return plain(target, { ...options, headers });
  };
  // A click on one of the page's own buttons that comes before their script waits for it, and a file dropped then does not replace the page.
  let waiting = null;
  const keep = (event) => {
    const button = event.target.closest?.("#open-case, #shade, [role=tab][data-tab]");
    if (!button) return;
    waiting = button.id;
    button.setAttribute("aria-busy", "true");
  };
  const stay = (event) => { if (event.dataTransfer?.types?.includes("Files")) event.preventDefault(); };
  document.addEventListener("click", keep, true);
  for (const kind of ["dragover", "drop"]) document.addEventListener(kind, stay);
  window.medmptReady = () => {
    document.removeEventListener("click", keep, true);
    for (const kind of ["dragover", "drop"]) document.removeEventListener(kind, stay);
    for (const button of document.querySelectorAll("#open-case[aria-busy], #shade[aria-busy], [role=tab][aria-busy]")) button.removeAttribute("aria-busy");
    if (waiting) document.querySelector(`#${waiting}`)?.click();
  };
  // A page that a lost reply left unfinished says so and offers the way out; it goes when the page comes after all.
  setTimeout(function look() {
    const told = document.querySelector("#page-late");
    if (document.querySelector("#columns") && window.medmpt) { told?.remove(); return; }
    if (!told) {
      const note = Object.assign(document.createElement("p"), { id: "page-late", innerHTML: "The page is not complete. 页面未完整加载。 " });
      note.setAttribute("role", "alert");
      note.style.cssText = "position: fixed; inset: 12px 12px auto; text-align: center; font: 16px system-ui, sans-serif";
      const again = Object.assign(document.createElement("button"), { type: "button", textContent: "Reload / 刷新", onclick: () => location.reload() });
      again.style.cssText = "font: inherit; min-height: 32px; padding: 2px 14px";
      note.append(again);
      document.body.append(note);
    }
    setTimeout(look, 1000);
  }, 30000);
})();
