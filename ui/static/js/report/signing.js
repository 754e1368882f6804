// The dialog before a signature: the text that is frozen, who signs, and that it was read. What was shown travels back as its digest.
import { fill, safe } from "./words.js";

// The frozen text as a person reads it: headings stand out, what is not known is a dash. The digest is of the text itself.
const readable = (text) => text.split("\n").map((line) => (line.startsWith("## ") ? `<b>${safe(line.slice(3))}</b>` : safe(line.replaceAll(/\bNone\b/g, "–")))).join("\n");

export class Signing {
  constructor(say, sign) {
    this.say = say;
    this.sign = sign;
    this.dialog = document.createElement("dialog");
    this.dialog.id = "signing";
    this.dialog.setAttribute("aria-labelledby", "signing-title");
    document.body.append(this.dialog);
    this.dialog.addEventListener("click", (event) => { if (event.target.closest("[data-do=cancel]")) this.dialog.close(); });
    this.dialog.addEventListener("input", () => this.ready());
    this.dialog.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
  }

  show(report, shown) {
    Object.assign(this, { report, shown });
    const { say } = this;
    const open = shown.remarks ? `<p class="box warn">${fill(say("rep_sign_remarks"), { n: shown.remarks })}</p>` : "";
    this.dialog.innerHTML = `<form method="dialog"><h2 id="signing-title">${say("rep_sign_title")}</h2><p>${say("rep_sign_note")}</p>${open}
      <pre tabindex="0">${readable(shown.text)}</pre><p class="note">sha256 ${safe(shown.sha256)}</p>
      <label>${say("rep_sign_name")}<input id="signing-name" autocomplete="name" maxlength="120" required></label>
      <label class="check"><input id="signing-read" type="checkbox"> ${say("rep_sign_read")}</label><p class="report-problem" role="alert"></p>
      <div class="go"><button type="button" class="quiet" data-do="cancel">${say("rep_cancel")}</button><button type="submit" class="strong" id="signing-do" disabled>${say("rep_sign_do")}</button></div></form>`;
    this.dialog.showModal();
    this.dialog.querySelector("#signing-name").focus();
  }

  get name() { return this.dialog.querySelector("#signing-name").value.trim(); }

  ready() { this.dialog.querySelector("#signing-do").disabled = this.name.length < 2 || !this.dialog.querySelector("#signing-read").checked; }

  async submit() {
    const reply = await this.sign(this.report, this.name, this.shown.sha256);
    if (reply.ok) this.dialog.close();
    else this.dialog.querySelector("[role=alert]").textContent = reply.problem;
  }
}
