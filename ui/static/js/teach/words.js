// Words that the stages of a teaching case share.

export function safe(text) {
  const node = document.createElement("i");
  node.textContent = text ?? "";
  return node.innerHTML;
}

export class Words {
  constructor(say, choices) {
    this.say = say;
    this.choices = choices ?? [];
  }

  get zh() { return this.say("language") === "zh"; }

  name(id) {
    const choice = this.choices.find((c) => c.id === id);
    return choice ? (this.zh ? choice.name_zh : choice.name_en) : id.replaceAll("_", " ");
  }

  list(choices) { return choices.map((c) => this.name(c.id)).join(this.zh ? "、" : ", "); }

  place(item) {
    if (!item) return "";
    const lobes = (item.lobes ?? []).map((l) => this.say(`teach_${l}`)).join(this.zh ? "、" : ", ");
    const lobe = item.lobe && this.say(`teach_${item.lobe}`);
    return [item.side && this.say(item.side), lobe, lobes, item.size_mm && `${Math.round(item.size_mm)} mm`].filter(Boolean).join(this.zh ? "，" : ", ");
  }

  entry(e) {
    return `${[this.name(e.finding), this.place(e)].filter(Boolean).join(this.zh ? "，" : ", ")} · ${this.say("teach_confidence")}: ${e.confidence}`;
  }
}
