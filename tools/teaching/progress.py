"""What a trainee's finished readings add up to: weak findings with their next date, calibration of confidence, reliance on the machine."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tools.teaching.cases import level_of, taught_by, teaching_cases
from tools.teaching.commit import Feedback, MachineRead, Reading, TrueFinding, machine_on
from tools.teaching.planted import Planted

# Leitner's boxes (S. Leitner, So lernt man lernen, 1972): days until a finding comes again; a miss sends it back to the first.
BOX_DAYS = (1, 2, 4, 8, 16)
# A level is left behind when this share of its last findings was right, over at least this many.
PASS_SHARE, PASS_COUNT = 0.8, 10
# Confidence 1 to 5 as the probability of being right that it stands for; own convention, said on the page.
PROBABILITY = {1: 0.5, 2: 0.6, 3: 0.7, 4: 0.85, 5: 0.95}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Attempt(_Record):
    """One finished reading of a case.

    Attributes:
        case_id: The case.
        day: When it was finished.
        first: What was committed before the machine was seen.
        final: What was decided after it; the same where no machine was shown.
        truth: What is there.
        feedback: Of `final`.
        machine: The read that was shown, planted error included; None for a test without the machine.
        planted: The error in it.
        hints: Hints that were taken.
    """

    case_id: str
    day: date
    first: Reading
    final: Reading
    truth: tuple[TrueFinding, ...]
    feedback: tuple[Feedback, ...]
    machine: MachineRead | None = None
    planted: Planted | None = None
    hints: int = 0


class Weak(_Record):
    """One finding: how often right, its box and when it is due."""

    finding: str
    seen: int
    right: int
    box: int
    due: date


class Bin(_Record):
    """Entries of one confidence: how many, how many right, and the share that the confidence stands for."""

    confidence: int
    n: int
    right: int
    stated: float


class Reliance(_Record):
    """Where trainee and machine disagreed at first: who was right, and what was decided.

    Attributes:
        followed_right: Followed a machine that was right.
        followed_wrong: Followed one that was wrong.
        kept_right: Kept the own opinion and was right.
        kept_wrong: Kept it and was wrong.
    """

    followed_right: int = 0
    followed_wrong: int = 0
    kept_right: int = 0
    kept_wrong: int = 0


class Score(_Record):
    """Findings of some readings: how many, how many right."""

    n: int = 0
    right: int = 0


class Progress(_Record):
    """Everything that the progress view shows; `tested` are readings without the machine, `assisted` those with it."""

    attempts: int
    findings: tuple[Weak, ...]
    calibration: tuple[Bin, ...]
    brier: float | None
    reliance: Reliance
    hints: int
    level: Literal[1, 2, 3]
    tested: Score = Score()
    assisted: Score = Score()


def progress(attempts: Sequence[Attempt]) -> Progress:
    """Sum up the attempts, oldest first."""
    bins, brier = calibration(attempts)
    return Progress(
        attempts=len(attempts),
        findings=weak(attempts),
        calibration=bins,
        brier=brier,
        reliance=reliance(attempts),
        hints=sum(a.hints for a in attempts),
        level=level(attempts),
        tested=_score(a for a in attempts if a.machine is None),
        assisted=_score(a for a in attempts if a.machine is not None),
    )


def _score(attempts: Iterable[Attempt]) -> Score:
    rows = [row for attempt in attempts for row in attempt.feedback]
    return Score(n=len(rows), right=sum(row.outcome == "hit" for row in rows))


def weak(attempts: Iterable[Attempt]) -> tuple[Weak, ...]:
    """Findings by when they are due, the weakest first among equals."""
    box: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    right: Counter[str] = Counter()
    last: dict[str, date] = {}
    for attempt in attempts:
        for row in attempt.feedback:
            name = row.finding
            seen[name] += 1
            right[name] += row.outcome == "hit"
            box[name] = min(box[name] + 1, len(BOX_DAYS) - 1) if row.outcome == "hit" else 0
            last[name] = attempt.day
    found = [Weak(finding=n, seen=seen[n], right=right[n], box=box[n], due=last[n] + timedelta(days=BOX_DAYS[box[n]])) for n in seen]
    return tuple(sorted(found, key=lambda w: (w.due, w.right / w.seen, w.finding)))


def calibration(attempts: Iterable[Attempt]) -> tuple[tuple[Bin, ...], float | None]:
    """Share of first entries that were there, by confidence, and the Brier score against `PROBABILITY`; None without entries."""
    there: dict[int, list[bool]] = defaultdict(list)
    for attempt in attempts:
        names = {t.finding for t in attempt.truth}
        for entry in attempt.first.entries:
            there[entry.confidence].append(entry.finding in names)
    bins = tuple(Bin(confidence=c, n=len(v), right=sum(v), stated=PROBABILITY[c]) for c, v in sorted(there.items()))
    squared = [(PROBABILITY[c] - right) ** 2 for c, v in there.items() for right in v]
    return bins, round(sum(squared) / len(squared), 4) if squared else None


def reliance(attempts: Iterable[Attempt]) -> Reliance:
    """Count the findings on which the first reading and the machine disagreed."""
    count: Counter[str] = Counter()
    for attempt in attempts:
        if attempt.machine is None or attempt.machine.abstained:
            continue
        names = {t.finding for t in attempt.truth}
        first, final = ({e.finding for e in r.entries} for r in (attempt.first, attempt.final))
        for name in first | final | names | {c.finding for c in attempt.machine.called}:
            called, _ = machine_on(name, attempt.machine)
            if called is None or called == (name in first):
                continue
            followed = (name in final) == called
            right = (name in final) == (name in names)
            count[f"{'followed' if followed else 'kept'}_{'right' if right else 'wrong'}"] += 1
    return Reliance(**count)


def level(attempts: Sequence[Attempt]) -> Literal[1, 2, 3]:
    """The level to read next."""
    for step in (1, 2):
        rows = [r for a in attempts if level_of(a.case_id) == step for r in a.feedback][-PASS_COUNT:]
        if len(rows) < PASS_COUNT or sum(r.outcome == "hit" for r in rows) < PASS_SHARE * len(rows):
            return step
    return 3


def next_case(attempts: Sequence[Attempt], today: date) -> str:
    """The case to read next: of the trainee's level, the one that shows most of what is due, least often and longest ago read."""
    due = {w.finding: 1.0 + (w.seen - w.right) / w.seen for w in weak(attempts) if w.due <= today}
    times = Counter(a.case_id for a in attempts)
    last = {a.case_id: i for i, a in enumerate(attempts)}
    step = level(attempts)
    offered = [c for c in teaching_cases() if level_of(c) == step]
    return min(offered, key=lambda c: (times[c], -sum(due.get(f, 0.0) for f in taught_by(c)), last.get(c, -1), c))
