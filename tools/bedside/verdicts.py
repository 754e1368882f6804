"""`Can this patient have X?`: a verdict on every drug that the question names, with the reason and the alternative."""

import tomllib
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from tools.bedside.cautions import Objection, closed, objections
from tools.bedside.expression import holds
from tools.bedside.judging import Applied, evidence
from tools.bedside.record import Record
from tools.bedside.regimens import forbidding
from tools.bedside.vocabulary import words
from tools.bedside.wording import write
from tools.evidence import Evidence


class Alternative(BaseModel):
    """What to take instead of a drug (`a;@group`) under a record condition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drugs: str
    test: str = ""
    en: str
    zh: str
    source: str
    year: int | None = None


@cache
def alternatives() -> tuple[Alternative, ...]:
    """All rows in order."""
    text = (files("tools") / "data" / "bedside" / "alternatives.toml").read_text(encoding="utf-8")
    return tuple(Alternative.model_validate(row) for row in tomllib.loads(text)["alternative"])


def asks_whether(question: str) -> bool:
    """Whether a question asks if something may be given."""
    return bool(words("may").search(question))


def named_new(question: str, record: Record) -> list[str]:
    """Drugs that the question names and the patient does not take; a class named alone is its members that are used here."""
    current = {d.id for d in record.patient.current}
    named = [d.id for d in record.graph.mentions(question)]
    for mention in record.graph.scan(question):
        if mention.kind == "class":
            named += [d.id for d in record.graph.members(mention.ids[0])][:4]
    return [d for d in dict.fromkeys(named) if d not in current]


def verdicts(question: str, record: Record) -> list[Evidence]:
    """One verdict per drug asked about, worst first."""
    out: list[tuple[int, list[tuple[str, str, Objection | None]]]] = []
    for drug in named_new(question, record)[:4]:
        found = objections(record, drug)
        forbidden = forbidding(record, drug)
        out.append(_of(drug, found, bool(forbidden), record))
    ordered = [line for _, lines in sorted(out, key=lambda pair: pair[0]) for line in lines]
    names = "-".join(named_new(question, record)[:2])
    return [
        evidence(f"B-may-{names}-{n}", en, zh, o.source if o else "drug graph and record", o.year if o else None)
        for n, (en, zh, o) in enumerate(ordered)
    ]


def _of(drug: str, found: list[Objection], forbidden: bool, record: Record) -> tuple[int, list[tuple[str, str, Objection | None]]]:
    name = record.graph.name(drug)
    worst = found[0] if found else None
    head: tuple[str, str, Objection | None]
    if worst is not None and (forbidden or worst.grave <= 1):
        rank = 0 if forbidden or worst.grave == 0 else 1
        word, word_zh = ("No: avoid", "不建议使用") if rank == 0 else ("Better not, avoid if possible:", "尽量避免使用")
        reasons = [worst.told, *((o.en, o.zh) for o in found[1:2])]
        tail, tail_zh = " ".join(closed(en, ".") for en, _ in reasons), "".join(closed(zh, "。") for _, zh in reasons)
        head = (f"{word} {name.en}. {tail}", f"{word_zh}{name.zh}：{tail_zh}", worst)
    elif worst is not None:
        rank = 2
        head = (f"{name.en} can be given with care: {worst.en}", f"{name.zh}可以谨慎使用：{worst.zh}", worst)
    else:
        rank = 3
        checked, checked_zh = _checked(record)
        head = (
            f"Nothing found against {name.en} among what was checked ({checked}); that is not proof of safety.",
            f"在已核对的内容（{checked_zh}）中未发现反对使用{name.zh}的依据；这不等于证明安全。",
            None,
        )
    lines: list[tuple[str, str, Objection | None]] = [head]
    if rank < 2:
        instead = alternative(drug, record)
        if instead is not None:
            lines.append((*instead, worst))
    return rank, lines


def alternative(drug: str, record: Record) -> tuple[str, str] | None:
    """What to take instead of a drug here, in both languages; None where no row says."""
    applied = Applied(record, {}, {})
    row = next((a for a in alternatives() if drug in record.members(a.drugs) and holds(a.test, applied) is True), None)
    return None if row is None else (write(row.en, applied, "en"), write(row.zh, applied, "zh"))


def _checked(record: Record) -> tuple[str, str]:
    """What a verdict without objection rests on."""
    names = [record.graph.name(d.id) for d in record.patient.current]
    crcl = record.get("crcl")
    parts = [f"current medicines: {', '.join(n.en for n in names) or 'none'}"]
    parts_zh = [f"现用药：{'、'.join(n.zh for n in names) or '无'}"]
    allergies = ", ".join(a.substance for a in record.case.patient.allergies)
    parts.append(f"allergies: {allergies or 'none recorded'}")
    parts_zh.append(f"过敏：{allergies or '无记录'}")
    if crcl is not None:
        parts.append(f"CrCl {crcl.shown}")
        parts_zh.append(f"肌酐清除率 {crcl.shown}")
    return "; ".join(parts), "；".join(parts_zh)
