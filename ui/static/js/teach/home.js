// Progress and the way to the next case, where no teaching case is open.

import { safe, Words } from "./words.js";

export async function home(say) {
  const reply = await fetch("/teaching/progress");
  if (!reply.ok) return "";
  const p = await reply.json();
  const words = new Words(say, p.choices);
  const weak = p.findings.slice(0, 8).map((w) => `<tr><th scope="row">${safe(words.name(w.finding))}</th><td data-head="${say("teach_right_of")}">${w.right} / ${w.seen}</td><td data-head="${say("teach_due")}">${safe(w.due)}</td></tr>`).join("");
  const bins = p.calibration.map((b) => `<tr><th scope="row">${b.confidence}/5</th><td data-head="${say("teach_was_right")}">${Math.round((100 * b.right) / b.n)} % (${b.right}/${b.n})</td><td data-head="${say("teach_stands_for")}">${Math.round(100 * b.stated)} %</td></tr>`).join("");
  const r = p.reliance;
  const table = (heads, rows) => `<div class="teach-table" tabindex="0"><table><thead><tr>${heads.map((h) => `<th scope="col">${say(h)}</th>`).join("")}</tr></thead><tbody>${rows}</tbody></table></div>`;
  const told = p.attempts
    ? `${table(["teach_finding", "teach_right_of", "teach_due"], weak)}
      <h4>${say("teach_calibration")}</h4>${table(["teach_confidence", "teach_was_right", "teach_stands_for"], bins)}<p class="note">Brier ${p.brier ?? "–"}</p>
      <h4>${say("teach_reliance")}</h4><p>${say("teach_followed")} ${r.followed_right} / ${r.followed_right + r.followed_wrong}; ${say("teach_kept")} ${r.kept_right} / ${r.kept_right + r.kept_wrong}</p>
      <p>${say("teach_tested")} ${p.tested.right} / ${p.tested.n}; ${say("teach_assisted")} ${p.assisted.right} / ${p.assisted.n}</p>
      <p><a href="/teaching/readings.csv" download>${say("teach_csv")}</a></p>`
    : `<p>${say("teach_no_attempt")}</p>`;
  return `<h3>${say("teach_home")}</h3><p class="note">${say("teach_intro")}</p>
    <p><button type="button" class="strong" data-do="next">${say("teach_next")}</button> <span class="note">${say("teach_level")} ${p.level} · ${say("teach_attempts")} ${p.attempts}</span></p>${told}`;
}
