"""Finished readings as a table for a supervisor: one row for each finding of each reading."""

import csv
import io
from collections.abc import Iterable

from tools.teaching.cases import level_of
from tools.teaching.progress import Attempt

COLUMNS = (
    *("trainee", "day", "case", "level", "machine_shown", "hints", "finding", "there"),
    *("first", "first_confidence", "machine", "planted_error", "final", "outcome"),
)


def rows_of(attempts: Iterable[Attempt], trainee: str) -> list[dict[str, object]]:
    """The rows of one trainee, oldest first."""
    rows: list[dict[str, object]] = []
    for a in attempts:
        first = {e.finding: e.confidence for e in a.first.entries}
        final = {e.finding for e in a.final.entries}
        called = {c.finding for c in a.machine.called} if a.machine is not None else set()
        for r in a.feedback:
            rows.append(
                {
                    "trainee": trainee,
                    "day": a.day.isoformat(),
                    "case": a.case_id,
                    "level": level_of(a.case_id),
                    "machine_shown": int(a.machine is not None),
                    "hints": a.hints,
                    "finding": r.finding,
                    "there": int(r.truth is not None),
                    "first": int(r.finding in first),
                    "first_confidence": first.get(r.finding, ""),
                    "machine": int(r.finding in called) if a.machine is not None else "",
                    "planted_error": a.planted.kind if a.planted is not None and a.planted.finding == r.finding else "",
                    "final": int(r.finding in final),
                    "outcome": r.outcome,
                }
            )
    return rows


def as_csv(rows: Iterable[dict[str, object]]) -> str:
    """The rows under their heads."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
