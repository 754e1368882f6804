"""`Which of ceftriaxone and levofloxacin is safest?`: the medicines that a question names, by what speaks against each here."""

from dataclasses import dataclass
from itertools import takewhile

from retrieval.messages.catalogue import messages
from tools.bedside.cautions import Objection, closed, objections
from tools.bedside.judging import evidence
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import words
from tools.bedside.regimens import forbidding
from tools.evidence import Evidence

pair = messages("tools.bedside").pair

_MOST = 6
# Where a row on several medicines comes from, where none speaks of them.
_SOURCE = "drug graph and record"


@dataclass(frozen=True)
class _Weighed:
    """A medicine with what speaks against it, gravest first; `out` where it must not be given."""

    drug: str
    found: tuple[Objection, ...]
    out: bool

    @property
    def weight(self) -> tuple[bool, int, int]:
        """What it is ordered by: forbidden, its gravest objection, how many there are."""
        return self.out, min((o.grave for o in self.found), default=9) * -1, len(self.found)


def compared(question: str, record: Record) -> list[Evidence]:
    """The medicines named, the least objectionable first; nothing where fewer than two are compared or nothing asks for it."""
    if not words("safest").search(question):
        return []
    named = dict.fromkeys(d.id for d in record.graph.mentions(question))
    taken = {d.id for d in record.patient.current}
    asked_of = [d for d in named if d not in taken][:_MOST]
    if len(asked_of) < 2:
        return []
    beside = tuple(d for d in named if d in taken)
    weighed = sorted((_weigh(d, beside, record) for d in asked_of), key=lambda w: w.weight)
    able = [w for w in weighed if not w.out]
    if not able:
        return _lines(asked_of, weighed, record)
    alike = list(takewhile(lambda w: w.weight == able[0].weight, able))
    names = [record.graph.name(w.drug) for w in alike]
    nothing = pair("nothing was found against it among what was checked; that is no proof of safety")
    reason = able[0].found[0].told if able[0].found else nothing
    head = pair(
        "Least stands against {drugs} here: {reason}",
        drugs=(", ".join(n.en for n in names), "、".join(n.zh for n in names)),
        reason=(closed(reason[0], "."), closed(reason[1], "。")),
    )
    first = able[0].found[0] if able[0].found else None
    lead = evidence(f"B-compared-{asked_of[0]}", *head, first.source if first else _SOURCE, first.year if first else None)
    return [lead, *_lines(asked_of, [w for w in weighed if w not in alike], record)]


def _weigh(drug: str, beside: tuple[str, ...], record: Record) -> _Weighed:
    """What speaks against a medicine; what the question names beside it before the rest of the same weight."""
    found = sorted(objections(record, drug), key=lambda o: (o.grave, o.other not in beside))
    return _Weighed(drug, tuple(found), bool(forbidding(record, drug)) or any(o.grave == 0 for o in found))


def _lines(asked_of: list[str], weighed: list[_Weighed], record: Record) -> list[Evidence]:
    """One line for each other medicine: what speaks against it most."""
    out = []
    for w in (w for w in weighed if w.found):
        name, worst = record.graph.name(w.drug), w.found[0]
        head = pair("Not {name}: {reason}") if w.out else pair("{name}: {reason}")
        if not w.out and worst.told[0].casefold().startswith(name.en.casefold()):
            head = ("{reason}", "{reason}")
        en, zh = (head[i].format(name=(name.en, name.zh)[i], reason=closed(worst.told[i], ".。"[i])) for i in (0, 1))
        out.append(evidence(f"B-compared-{asked_of[0]}-{w.drug}", en, zh, worst.source, worst.year))
    return out
