// After the decision: truth, feedback, the planted error, what the own report leaves out, and questions to think about.

import { safe } from "./words.js";

const HEADS = ["teach_finding", "teach_you", "teach_machine", "teach_truth", "teach_feedback"];

export function result(view, words) {
  const { say } = words;
  const heads = HEADS.map((key) => `<th scope="col">${say(key)}</th>`).join("");
  const rows = view.feedback.map((f) => row(f, view, words)).join("");
  const told = new Set(view.feedback.map((f) => f.finding));
  const also = view.machine.called.filter((c) => !told.has(c.finding)).map((c) => `${words.name(c.finding)} (${c.score.toFixed(2)})`);
  return `<h3>${say("teach_done")}</h3><p><b>${safe(words.zh ? view.summary.text_zh : view.summary.text)}</b></p>
    <div class="teach-table" tabindex="0"><table><thead><tr>${heads}</tr></thead><tbody>${rows}</tbody></table></div>
    ${also.length ? `<p>${say("teach_also")} ${safe(also.join(", "))}</p>` : ""}
    ${planted(view, words)}${report(view, words)}<p class="note">${safe(basis(view.machine, words))}</p>
    ${questions(view, words)}<p><button type="button" class="strong" data-do="next">${say("teach_next")}</button></p>`;
}

function row(f, view, words) {
  const { say } = words;
  // On a phone the row is a block, and each cell says what it is.
  const cell = (text, at) => `<td data-head="${say(HEADS[at])}">${text}</td>`;
  const you = f.entry ? `${safe(words.place(f.entry) || "✓")} <span class="note">${f.entry.confidence}/5</span>` : `<span class="note">${say("teach_not_recorded")}</span>`;
  const calls = f.machine === null ? say("teach_no_detector") : f.machine ? say("teach_called") : say("teach_denied");
  const there = f.truth ? safe(words.place(f.truth) || "✓") : `<span class="note">${say("teach_absent")}</span>`;
  const jump = f.truth && f.truth.slice !== null ? ` <button type="button" class="jump" data-study="ct-1" data-slice="${f.truth.slice}">${say("slice")} ${f.truth.slice}</button>` : "";
  const machine = view.machine.abstained ? "–" : calls + (f.machine_side ? `, ${say(f.machine_side)}` : "");
  return `<tr class="${f.outcome}"><th scope="row">${safe(words.name(f.finding))}</th>${cell(you, 1)}${cell(machine, 2)}${cell(there + jump, 3)}${cell(safe(words.zh ? f.text_zh : f.text), 4)}</tr>`;
}

function planted(view, words) {
  if (!view.planted) return "";
  return `<p class="teach-planted" role="note"><b>${words.say("teach_planted")}</b> ${words.say(`teach_${view.planted.kind}`)} ${safe(words.name(view.planted.finding))}</p>`;
}

function report(view, words) {
  const parts = [];
  if (view.report_notes.length) parts.push(`${words.say("teach_report_leaves")} ${safe(words.list(view.report_notes))}`);
  if (view.report_extra.length) parts.push(`${words.say("teach_report_extra")} ${safe(words.list(view.report_extra))}`);
  return parts.length ? `<p>${parts.join("<br>")}</p>` : "";
}

function questions(view, words) {
  const asked = view.questions[words.zh ? "zh" : "en"] ?? [];
  if (!asked.length) return "";
  const one = (q) => `<details><summary>${safe(q.text)}</summary><p>${safe(q.answer)}</p><p class="note">${safe(q.source)} · ${safe(q.key)}</p></details>`;
  return `<h4>${words.say("teach_think")}</h4>${asked.map(one).join("")}`;
}

export function basis(machine, words) {
  if (machine.abstained) return `${words.say("teach_abstained")} ${(words.zh && machine.abstained_zh) || machine.abstained}`;
  return words.zh ? machine.basis_zh : machine.basis;
}

// The machine's read before the decision.
export function machineRead(view, words) {
  const { say } = words;
  const calls = view.machine.called.map((c) => `<li>${safe([words.name(c.finding), c.side && say(c.side)].filter(Boolean).join(", "))} <span class="note">${c.score.toFixed(2)}</span></li>`).join("");
  return `<h3>${say("teach_machine_read")}</h3><p class="note">${say("teach_may_err").replace("{share}", Math.round(view.error_rate * 100))}</p>
    <ul class="teach-calls">${calls || `<li>${say("teach_calls_nothing")}</li>`}</ul><p class="note">${safe(basis(view.machine, words))}</p>`;
}
