"""Commit before reveal: what a trainee records of a study, compared with its truth and with the machine's read, finding by finding.

Pure functions over small records; who may see what when is the agent's business (`agent.sessions.teaching`).
"""

from collections.abc import Iterable
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from medmpt_backend.findings import FINDINGS, MIDLINE, finding
from medmpt_backend.messages import Said
from retrieval.messages.catalogue import messages
from tools.errors import BadInput
from tools.evidence import Language, Side

pair = messages("tools.teaching").pair

Outcome = Literal["hit", "wrong_side", "wrong_place", "size_off", "miss", "overcall"]
Lobe = Literal["upper", "middle", "lower"]
# Own convention: a size counts as right within 2 mm or a fifth of the true size, whichever is more.
SIZE_MM, SIZE_SHARE = 2.0, 0.2
# Own convention: an overcall stated with at least this confidence is pointed out as such.
SURE = 4
LEVELS: dict[str, Lobe] = {"U": "upper", "M": "middle", "L": "lower"}
MOST_ENTRIES = 20
# Findings that are measured by one diameter.
FOCAL = frozenset(f.id for f in FINDINGS.values() if f.focal)
# Findings of the lung itself, which lie in a lobe.
LUNG = frozenset(f.id for f in FINDINGS.values() if f.lobar)
# What a trainee chooses from: findings of a report, without the finer names that only a specialist separates.
CHOICES: tuple[str, ...] = tuple(f.id for f in sorted(FINDINGS.values(), key=lambda f: f.choice or 0) if f.choice is not None)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(_Record):
    """One finding that a trainee records.

    Attributes:
        finding: One of `CHOICES`.
        side: Side of the patient; None for findings without one.
        lobe: Lobe, the lingula with the upper; None where it is not said.
        size_mm: Long axis of a focal finding.
        confidence: 1 (a guess) to 5 (certain).
    """

    finding: str
    side: Side | None = None
    lobe: Lobe | None = None
    size_mm: float | None = Field(default=None, gt=0, le=400)
    confidence: int = Field(ge=1, le=5)


class Reading(_Record):
    """Everything a trainee commits; without entries it says that the study is normal. `report` is the trainee's own text."""

    entries: tuple[Entry, ...] = Field(default=(), max_length=MOST_ENTRIES)
    report: str = Field(default="", max_length=8000)


class TrueFinding(_Record):
    """One finding that is on the study; `slice` shows it best, 0-based from the head; `lobes` (`RUL` …) is empty outside the lungs."""

    finding: str
    side: Side | None = None
    lobes: tuple[str, ...] = ()
    size_mm: float | None = None
    slice: int | None = None


class MachineFinding(_Record):
    """One finding that the model calls."""

    finding: str
    side: Side | None = None
    score: float
    threshold: float | None = None


class MachineRead(_Record):
    """What the model says of the study: its calls, what it denied, or why it abstained."""

    called: tuple[MachineFinding, ...] = ()
    denied: tuple[str, ...] = ()
    abstained: str | None = None
    abstained_zh: str | None = None
    basis: str = ""
    basis_zh: str = ""


class Feedback(_Record):
    """One line of the comparison.

    Attributes:
        finding: What it is about.
        outcome: Of the trainee.
        truth: What is there; None for an overcall.
        entry: What the trainee recorded; None for a miss.
        machine: Whether the model called it; None where no detector for it ran.
        machine_side: Side that the model named.
        text: One sentence in English.
        text_zh: The same in Chinese.
    """

    finding: str
    outcome: Outcome
    truth: TrueFinding | None = None
    entry: Entry | None = None
    machine: bool | None = None
    machine_side: Side | None = None
    text: str
    text_zh: str


class Summary(_Record):
    """Counts of the comparison."""

    hits: int
    partly: int
    misses: int
    overcalls: int
    text: str
    text_zh: str


def _name(ident: str) -> tuple[str, str]:
    known = finding(ident)
    return known.en, known.zh


def check_reading(reading: Reading) -> Reading:
    """The reading if it can be committed.

    Raises:
        BadInput: A finding that is not offered, named twice on the same side, without its side, or without its size.
    """
    seen: set[tuple[str, Side | None]] = set()
    for entry in reading.entries:
        if entry.finding not in CHOICES:
            raise BadInput(Said(*pair("{finding!r} is not among the findings offered", finding=entry.finding)))
        if entry.finding not in MIDLINE and entry.side is None:
            raise BadInput(Said(*pair("{name}: give its side (left, right or both)", name=_name(entry.finding))))
        if entry.finding in FOCAL and entry.size_mm is None:
            raise BadInput(Said(*pair("{name}: give its size in millimetres", name=_name(entry.finding))))
        if (entry.finding, entry.side) in seen:
            raise BadInput(Said(*pair("{name} is recorded twice on the same side", name=_name(entry.finding))))
        seen.add((entry.finding, entry.side))
    return reading


def merge_truth(found: Iterable[TrueFinding]) -> tuple[TrueFinding, ...]:
    """One truth per finding: sides joined, the largest size with its slice kept."""
    merged: dict[str, TrueFinding] = {}
    for item in found:
        known = merged.get(item.finding)
        if known is None:
            merged[item.finding] = item
            continue
        larger = item if (item.size_mm or 0) > (known.size_mm or 0) else known
        side = known.side if known.side == item.side else "both"
        merged[item.finding] = larger.model_copy(update={"side": side, "lobes": tuple(sorted({*known.lobes, *item.lobes}))})
    return tuple(merged.values())


def compare(reading: Reading, truth: Iterable[TrueFinding], machine: MachineRead) -> tuple[Feedback, ...]:
    """Feedback per finding: what is there in the order of the truth, then what was called and is not there."""
    there = {t.finding: t for t in truth}
    rows = []
    for item in there.values():
        entries = [e for e in reading.entries if e.finding == item.finding]
        rows.append(_judged(item, _joined(entries), machine))
    extra = [e for e in reading.entries if e.finding not in there]
    return (*rows, *(_overcalled(e, machine) for e in extra))


def _joined(entries: list[Entry]) -> Entry | None:
    """Entries of one finding as one: right and left recorded apart are both sides."""
    if len(entries) < 2:
        return entries[0] if entries else None
    sides = {e.side for e in entries}
    side: Side | None = "both" if len(sides) > 1 or "both" in sides else entries[0].side
    best = max(entries, key=lambda e: e.size_mm or 0)
    return best.model_copy(update={"side": side, "confidence": max(e.confidence for e in entries)})


def _judged(item: TrueFinding, entry: Entry | None, machine: MachineRead) -> Feedback:
    outcome: Outcome = "hit"
    if entry is None:
        outcome = "miss"
    elif item.finding not in MIDLINE and entry.side != item.side:
        outcome = "wrong_side"
    elif wrong_place(entry.lobe, item.lobes):
        outcome = "wrong_place"
    elif size_off(entry.size_mm, item.size_mm):
        outcome = "size_off"
    called, side = machine_on(item.finding, machine)
    text, text_zh = _words(outcome, item, entry)
    return Feedback(
        finding=item.finding, outcome=outcome, truth=item, entry=entry, machine=called, machine_side=side, text=text, text_zh=text_zh
    )


def wrong_place(said: Lobe | None, lobes: tuple[str, ...]) -> bool:
    """Whether a stated lobe is none of those the finding lies in; not judged where either is silent."""
    return said is not None and bool(lobes) and said not in {LEVELS[lobe[-2]] for lobe in lobes}


def size_off(said: float | None, true: float | None) -> bool:
    """Whether a stated size lies outside the tolerance; sizes that one of the two does not give are not judged."""
    return said is not None and true is not None and abs(said - true) > max(SIZE_MM, SIZE_SHARE * true)


def machine_on(name: str, machine: MachineRead) -> tuple[bool | None, Side | None]:
    """Whether the model called a finding, and its side; None where no detector for it ran."""
    for call in machine.called:
        if call.finding == name:
            return True, call.side
    return (False, None) if name in machine.denied else (None, None)


_SIDE_WORDS: dict[Side, tuple[str, str]] = {"left": pair("left"), "right": pair("right"), "both": pair("both sides")}


def _where(side: Side | None, size: float | None, zh: bool) -> str:
    parts = [_SIDE_WORDS[side][zh]] if side else []
    parts += [f"{size:.0f} mm"] if size is not None else []
    return ("，" if zh else ", ").join(parts)


_LOBE_WORDS = {
    "RUL": pair("the right upper lobe"),
    "RML": pair("the right middle lobe"),
    "RLL": pair("the right lower lobe"),
    "LUL": pair("the left upper lobe"),
    "LLL": pair("the left lower lobe"),
}


def _lobes(lobes: tuple[str, ...], zh: bool) -> str:
    return ("、" if zh else ", ").join(_LOBE_WORDS[lobe][zh] for lobe in lobes)


def _words(outcome: Outcome, item: TrueFinding, entry: Entry | None) -> tuple[str, str]:
    known = finding(item.finding)
    focal = item.size_mm if item.finding in FOCAL else None
    true, true_zh = _where(item.side, focal, False), _where(item.side, focal, True)
    said, said_zh = (_where(entry.side, None, False), _where(entry.side, None, True)) if entry else ("", "")
    of, of_zh = (f" ({true})" if true else ""), (f"（{true_zh}）" if true_zh else "")
    table: dict[Outcome, tuple[str, str]] = {
        "hit": pair("Found: {known}{of}.", known=(known.en, known.zh), of=(of, of_zh)),
        "miss": pair("Missed: {known}{of}.", known=(known.en, known.zh), of=(of, of_zh)),
        "wrong_side": pair(
            "{known}: found, but on the wrong side: you recorded {said}, it is {side}.",
            known=(known.en, known.zh),
            said=(said, said_zh) if said else pair("no side"),
            side=(_where(item.side, None, False), _where(item.side, None, True)),
        ),
        "wrong_place": pair(
            "{known}: found, but in another lobe: it lies in {lobes}.",
            known=(known.en, known.zh),
            lobes=(_lobes(item.lobes, False), _lobes(item.lobes, True)),
        ),
        "size_off": pair(
            "{known}: found, but the size is off: you measured {measured_mm:.0f} mm, it is {true_mm:.0f} mm.",
            measured_mm=entry.size_mm if entry and entry.size_mm else 0,
            true_mm=item.size_mm or 0,
            known=(known.en, known.zh),
        ),
    }
    return table[outcome]


def _overcalled(entry: Entry, machine: MachineRead) -> Feedback:
    known = finding(entry.finding)
    sure, sure_zh = pair(" You were sure of it.") if entry.confidence >= SURE else ("", "")
    called, side = machine_on(entry.finding, machine)
    text, text_zh = pair("Overcalled: {known} is not on this study.{sure}", known=(known.en, known.zh), sure=(sure, sure_zh))
    return Feedback(
        finding=entry.finding,
        outcome="overcall",
        entry=entry,
        machine=called,
        machine_side=side,
        text=text,
        text_zh=text_zh,
    )


def summary(rows: Iterable[Feedback]) -> Summary:
    """Counts of outcomes in one sentence."""
    found = list(rows)
    count = {o: sum(r.outcome == o for r in found) for o in get_args(Outcome)}
    partly, total = sum(count[o] for o in ("wrong_side", "wrong_place", "size_off")), len(found) - count["overcall"]
    text, text_zh = pair(
        "{hits} of {total} findings right, {partly} with a wrong side, place or size, {misses} missed, {overcalls} overcalled.",
        hits=count["hit"],
        total=total,
        partly=partly,
        misses=count["miss"],
        overcalls=count["overcall"],
    )
    return Summary(hits=count["hit"], partly=partly, misses=count["miss"], overcalls=count["overcall"], text=text, text_zh=text_zh)


def choices(language: Language) -> tuple[tuple[str, str], ...]:
    """The findings offered, `(id, name)`."""
    return tuple((i, FINDINGS[i].zh if language == "zh" else FINDINGS[i].en) for i in CHOICES)
