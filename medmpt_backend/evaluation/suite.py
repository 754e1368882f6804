"""All parts of an evaluation, in order; each result is written before the next part runs."""

import time
from collections.abc import Callable, Mapping, Sequence

from medmpt_backend.errors import BadInput
from medmpt_backend.evaluation import calibration, classes, findings, localise, medication, outside, severity
from medmpt_backend.evaluation.figures import PartResult
from medmpt_backend.evaluation.text import claims, matching
from medmpt_backend.evaluation.text import drafts as reports
from medmpt_backend.evaluation.text.context import Context

PARTS: Mapping[str, Callable[[Context], PartResult]] = {
    "findings": findings.run,
    "classes": classes.run,
    "calibration": calibration.run,
    "explanations": localise.run,
    "retrieval": matching.run,
    "report": reports.run,
    "medication": medication.run,
    "labs": severity.run,
    "claims": claims.run,
    "domain": outside.run,
}


def chosen_parts(words: str) -> tuple[str, ...]:
    """Comma-separated names, in the order of `PARTS`; empty: all.

    Raises:
        BadInput: A name is not known.
    """
    wanted = {word.strip() for word in words.split(",") if word.strip()}
    unknown = sorted(wanted - set(PARTS))
    if unknown:
        raise BadInput(f"no part {unknown[0]!r}; parts are {', '.join(PARTS)}")
    return tuple(name for name in PARTS if name in wanted or not wanted)


def run_parts(context: Context, names: Sequence[str], done: Callable[[PartResult, float], None]) -> list[PartResult]:
    """Run parts.

    Args:
        context: What is measured.
        names: Of `PARTS`.
        done: Told each result and the seconds it took.
    """
    results = []
    for name in names:
        start = time.perf_counter()
        results.append(PARTS[name](context))
        done(results[-1], time.perf_counter() - start)
    return results
