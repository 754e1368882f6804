// Small pieces that the report editor and the summary share.

export function safe(text) {
  const node = document.createElement("i");
  node.textContent = text ?? "";
  return node.innerHTML.replaceAll('"', "&quot;");
}

// Units as a laboratory prints them, as `typeset` of tools/wording.py.
export const typeset = (text) => text.replaceAll(/(?<=\d )ug\b/g, "µg").replaceAll(/(?<![\w^])10\^(\d{1,2})(?=\/)/g, (_, power) => `×10${[...power].map((n) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[n]).join("")}`);

export const fill = (words, values) => words.replaceAll(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);

export async function ask(address, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const reply = await fetch(address, options);
  const text = await reply.text();
  let found = null;
  try { found = text ? JSON.parse(text) : null; } catch { found = { detail: text }; }
  return { ok: reply.ok, found, problem: reply.ok ? "" : typeof found?.detail === "string" ? found.detail : reply.statusText };
}

// A file is fetched, so that the id of this tab travels with the request, and then handed to the browser.
export async function save(address) {
  const reply = await fetch(address);
  if (!reply.ok) {
    const text = await reply.text();
    try { return JSON.parse(text).detail ?? text; } catch { return text; }
  }
  const name = /filename="([^"]+)"/.exec(reply.headers.get("content-disposition") ?? "")?.[1] ?? "file";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await reply.blob());
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return "";
}

export const when = (at) => (at ?? "").replace("T", " ").slice(0, 16) + " UTC";
