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
})();
