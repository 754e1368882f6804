"""A trainee's own report against the truth, in the vocabulary that reports are read with."""

from collections.abc import Iterable

from medmpt_backend.findings import finding
from tools.reports.labels import labels
from tools.teaching.commit import CHOICES, TrueFinding


def against(report: str, truth: Iterable[TrueFinding]) -> tuple[frozenset[str], frozenset[str]]:
    """What a report leaves out and what it states without ground, as ids of `CHOICES`; nothing for an empty report.

    Only findings that the 18 labels of CT-RATE name are compared: the others cannot be read from text reliably.
    """
    if not report.strip():
        return frozenset(), frozenset()
    stated = labels(report)
    there = {t.finding: finding(t.finding).ct_rate for t in truth}
    left_out = frozenset(name for name, label in there.items() if label is not None and label not in stated)
    ungrounded = stated - {label for label in there.values() if label is not None}
    firsts = {finding(name).ct_rate: name for name in reversed(CHOICES)}
    return left_out, frozenset(firsts[label] for label in ungrounded if label in firsts)
