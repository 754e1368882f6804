"""A topic applied to a record: bottom line, criteria met and not met, notes; all as evidence that can be quoted."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from retrieval.guidelines.corpus import passage_key
from retrieval.messages.catalogue import messages
from tools.bedside.record.expression import holds
from tools.bedside.record.values import Value
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import notions
from tools.bedside.record.wording import as_typed, write
from tools.bedside.topics import Item, Topic
from tools.evidence import Evidence, Language
from tools.quantities import fill

pair = messages("tools.bedside").pair

# How the number in the key of a sentence begins that stands below another answer.
BESIDE = "b"
# Keys of evidence that speaks of medicines and has weighed them for this patient.
OF_DRUGS = ("P-", "B-review-", "B-reg-", "B-dose-", "B-may-", "B-stop-", "B-place-")
_LISTED = (
    ("met", True, *pair("Met")),
    ("not_met", False, *pair("Not met")),
    ("open", None, *pair("Not known from the record")),
)


@dataclass(frozen=True)
class Applied:
    """A topic on a record: the record's names, and those of the topic's items."""

    record: Record
    results: dict[str, bool | None]
    counts: dict[str, float]

    def value(self, name: str) -> float | bool | None:
        """Items and counts of the topic first, then the record."""
        if name in self.results:
            return self.results[name]
        return self.counts[name] if name in self.counts else self.record.value(name)

    def call(self, name: str, argument: str) -> float | bool | None:
        """Calls go to the record."""
        return self.record.call(name, argument)

    def shown(self, name: str, language: Language) -> str | None:
        """A value with its unit; a typed one says so."""
        if name in self.counts:
            return f"{self.counts[name]:.0f}"
        if name.startswith("list_"):
            return self._listed(name.removeprefix("list_"), language)
        if name.startswith("sum_"):
            return None
        found: Value | None = self.record.get(name)
        if found is None:
            return None
        return as_typed(found.shown, language) if found.typed else found.shown

    def _listed(self, group: str, language: Language) -> str | None:
        """Names of the current medicines of a group (`list_acei` for `@acei`) or with an effect (`list_causing_qt_prolongation`)."""
        effect = group.removeprefix("causing_").replace("_", "-")
        taken = self.record.causing(effect) if group.startswith("causing_") else self.record.taken(f"@{group}")
        names = [self.record.graph.name(d) for d in taken]
        return (("、" if language == "zh" else ", ").join(n.zh if language == "zh" else n.en for n in names)) or None


def apply(topic: Topic, record: Record) -> Applied:
    """Evaluate the items of a topic."""
    bare = Applied(record, {}, {})
    results = {item.key: holds(item.test, bare) for item in topic.item}
    counts: dict[str, float] = {}
    for group in {"", *(i.group for i in topic.item)}:
        mine = [i for i in topic.item if not group or i.group == group]
        end = f"_{group}" if group else ""
        counts[f"met{end}"] = sum(results[i.key] is True for i in mine)
        counts[f"open{end}"] = sum(results[i.key] is None for i in mine)
        counts[f"all{end}"] = len(mine)
    return Applied(record, results, counts)


def judge(topic: Topic, record: Record) -> list[Evidence]:
    """What a topic says of this record; empty when it does not apply."""
    return [statement(topic, n, en, zh) for n, (en, zh) in enumerate(_pairs(topic, record, lists=True))]


def see_also(topic: Topic, record: Record) -> list[Evidence]:
    """What a topic says of this record below an answer that another gave: under its title, without its criteria one by one."""
    said = _pairs(topic, record, lists=False)
    under = [pair("See also “{title}”: {text}", title=topic.title, text=text) if i == 0 else text for i, text in enumerate(said)]
    return [statement(topic, f"{BESIDE}{n}", en, zh) for n, (en, zh) in enumerate(under)]


def stands_beside(key: str) -> bool:
    """Whether a key is of a sentence that stands below another answer."""
    return key.startswith("B-") and key.rpartition("-")[2].startswith(BESIDE)


def _pairs(topic: Topic, record: Record, *, lists: bool) -> list[tuple[str, str]]:
    """Bottom line, criteria by outcome (where `lists`) and notes, in both languages."""
    if holds(topic.test, Applied(record, {}, {})) is not True:
        return []
    applied = apply(topic, record)
    verdict = next((v for v in topic.verdict if holds(v.test, applied) is True), None)
    if verdict is None:
        return []
    sentences = [(verdict.en, verdict.zh), *(_lists(topic, applied) if lists else ())]
    sentences += [(n.en, n.zh) for n in topic.note if holds(n.test, applied) is True]
    written = [(write(en, applied, "en"), write(zh, applied, "zh")) for en, zh in sentences]
    return [(en, zh) for en, zh in written if en and zh]


def _lists(topic: Topic, applied: Applied) -> Iterable[tuple[str, str]]:
    """The criteria by outcome, each with the record's value."""
    for _, outcome, en, zh in _LISTED:
        mine: list[Item] = [i for i in topic.item if applied.results[i.key] is outcome]
        if mine:
            yield f"{en}: {'; '.join(i.en for i in mine)}.", f"{zh}：{'；'.join(i.zh for i in mine)}。"


def statement(topic: Topic, number: int | str, en: str, zh: str) -> Evidence:
    """One sentence of a topic as evidence."""
    return evidence(f"B-{topic.id}-{number}", en, zh, topic.source, topic.year, topic.passage)


def evidence(key: str, en: str, zh: str, source: str, year: int | None, passage: str | None = None) -> Evidence:
    """A bedside sentence as evidence: of the drug graph where it speaks of medicines, else calculated from the record like a score."""
    if re.match(r"[a-z]{2}", en) and not en.startswith("mm"):
        en = en[0].upper() + en[1:]
    return Evidence(
        key=key,
        kind="drug_graph" if key.startswith(OF_DRUGS) else "score",
        text=en,
        text_zh=zh,
        source=source,
        year=year,
        locator=passage_key(passage) if passage else None,
        quantities=fill((), en, zh),
    )


def known_names() -> set[str]:
    """Notions, for the lint."""
    return set(notions())
