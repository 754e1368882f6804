// Rows of the report editor: a sentence with its origin and its changes, the checker's remarks, the prior report, the history.
import { fill, safe, when } from "./words.js";

export function sentence(say, row, doc, state) {
  const origin = `<em class="tag origin ${row.origin}">${say(`rep_origin_${row.origin}`)}</em>`;
  if (state.editing === row.id) {
    return `<li class="sentence editing" data-sentence="${row.id}">${origin}<div class="report-write"><textarea rows="3" aria-label="${say("rep_edit")}">${safe(row.text)}</textarea>
      <button type="button" class="strong" data-act="save">${say("rep_save")}</button><button type="button" class="quiet" data-act="cancel">${say("rep_cancel")}</button></div></li>`;
  }
  const hidden = row.state === "struck" && (!state.tracked || doc.signature);
  if (hidden) return "";
  const marks = doc.signature || row.state !== "proposed" ? "" : `<em class="tag state">${say("rep_state_proposed")}</em>`;
  return `<li class="sentence ${row.state}" data-sentence="${row.id}"><div class="said">${origin}${marks}<span class="words">${words(row, state.tracked && !doc.signature)}</span>${sources(say, row, doc)}</div>${doc.signature ? "" : acts(say, row)}</li>`;
}

function words(row, tracked) {
  if (row.state === "struck") return `<del>${safe(row.text)}</del>`;
  if (row.state === "edited" && tracked && row.drafted) return `<del>${safe(row.drafted)}</del> <ins>${safe(row.text)}</ins>`;
  return safe(row.text);
}

function acts(say, row) {
  const button = (act, sign) => `<button type="button" data-act="${act}" data-id="${row.id}" aria-label="${say(`rep_${act}`)}: ${safe(row.text.slice(0, 60))}" title="${say(`rep_${act}`)}">${sign}</button>`;
  if (row.state === "struck") return `<div class="acts">${button("restore", "↺")}</div>`;
  const back = row.state === "edited" ? button("restore", "↺") : "";
  return `<div class="acts">${row.state === "proposed" ? button("accept", "✓") : ""}${button("edit", "✎")}${back}${button("strike", "✕")}</div>`;
}

function sources(say, row, doc) {
  const known = new Map(doc.evidence.map((e) => [e.key, e]));
  const found = row.evidence.map((key) => known.get(key)).filter(Boolean);
  const marks = found.map((e, n) => `<button type="button" class="source" data-act="source" data-key="${safe(e.key)}" title="${safe(e.source)}" aria-label="${say("rep_source")} ${n + 1}: ${safe(e.source)}">${n + 1}</button>`);
  const slice = found.map((e) => /slice (\d+)/.exec(e.locator ?? "")?.[1]).find(Boolean);
  const jump = slice ? `<button type="button" class="jump" data-study="${safe(doc.study.study)}" data-slice="${slice}">${fill(say("rep_slice"), { n: slice })}</button>` : "";
  return `<span class="marks">${marks.join("")}${jump}</span>`;
}

export function remarks(say, rows) {
  const list = rows.map((r) => `<li><em class="tag kind">${safe(r.kind)}</em> ${safe(r.text)} <span class="note">${safe(r.suggestion)}</span>${r.sentences.map((id) => ` <button type="button" class="source" data-act="find" data-id="${id}">→</button>`).join("")}</li>`).join("");
  return `<section class="report-remarks" aria-live="polite"><h3>${say("rep_remarks")} (${rows.length})</h3>${rows.length ? `<ul>${list}</ul>` : `<p class="note">${say("rep_no_remarks")}</p>`}</section>`;
}

export function prior(say, doc) {
  const c = doc.comparison;
  if (!c) return "";
  const zh = say("language") === "zh";
  const rows = c.rows.map((r) => `<tr class="${r.status}"><th scope="row">${safe(zh ? r.finding_zh : r.finding)}</th><td>${say(`rep_change_${r.status}`)}</td><td>${safe(r.before ?? "–")}</td><td>${safe(r.now ?? "–")}</td></tr>`).join("");
  return `<section class="report-prior"><h3>${fill(say("rep_prior"), { date: safe(c.date ?? "–") })}</h3><div class="scroll"><table><tbody>${rows}</tbody></table></div>
    <details><summary>${say("rep_prior_text")}</summary><p class="plain">${safe(c.text)}</p></details></section>`;
}

export function beside(say, doc) {
  if (doc.signature) return "";
  const rows = doc.sections.filter((s) => !s.printed).flatMap((s) => s.sentences).map((s) => `<li>${safe(s.text)}</li>`);
  const left = doc.withheld.map(([text, because]) => `<li><del>${safe(text)}</del> — ${safe(because)}</li>`);
  const limits = doc.warnings.map((w) => `<li>${safe(w)}</li>`);
  if (!rows.length && !left.length && !limits.length) return "";
  const part = (title, items) => (items.length ? `<h4>${title}</h4><ul>${items.join("")}</ul>` : "");
  return `<details class="report-beside"><summary>${say("rep_beside")}</summary>${part("", rows)}${part(say("rep_withheld"), left)}${part(say("rep_limits"), limits)}</details>`;
}

export function history(say, doc) {
  const rows = [...doc.changes].reverse().map((c) => `<li><time datetime="${safe(c.at)}">${when(c.at)}</time> <b>${say(`rep_kind_${c.kind}`)}</b> ${safe(c.by)}${c.before !== null && c.before !== c.after ? ` <del>${safe(c.before)}</del>` : ""}${c.after !== null ? ` <ins>${safe(c.after)}</ins>` : ""}</li>`);
  return `<details class="report-history"><summary>${say("rep_history")} (${rows.length})</summary><ol>${rows.join("")}</ol></details>`;
}
