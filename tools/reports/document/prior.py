"""What changed since the prior report, finding by finding: deterministic, from the words of both."""

from tools.case.record import StudyRef
from tools.deps import Deps
from tools.reports.document.record import Compared, Comparison
from tools.reports.lint.reading.mentions import Mention, mentions_of
from tools.reports.lint.reading.parts import sentences_of

# Up to this a difference of diameters counts as none: Lung-RADS v2022 (American College of Radiology) calls more than 1.5 mm growth.
_SAME_MM = 1.5


def prior_of(deps: Deps, study: str) -> tuple[StudyRef, ...]:
    """Earlier studies of the case, the latest first."""
    studies = deps.case.studies if deps.case else ()
    current = next((s for s in studies if s.id == study), None)
    before = [s for s in studies if s.id != study and (s.prior or _earlier(s, current))]
    return tuple(sorted(before, key=lambda s: s.date or "", reverse=True))


def _earlier(one: StudyRef, current: StudyRef | None) -> bool:
    return bool(current and not current.prior and one.date and current.date and one.date < current.date)


def compared_with(deps: Deps, study: str, findings: str) -> Comparison | None:
    """The prior report beside these findings; None where the case has no prior report."""
    prior = next((p for p in prior_of(deps, study) if p.report), None)
    if prior is None or prior.report is None:
        return None
    return Comparison(date=prior.date, text=prior.report, rows=compare(prior.report, findings))


def compare(before: str, now: str) -> tuple[Compared, ...]:
    """Findings of the prior report and of this one: new, larger, smaller, same size, in both, not mentioned now, denied now."""
    old, new = _stated(before), _by_family(now)
    rows = [_row(family, mention, new.get(family, [])) for family, mention in old.items()]
    fresh = [m for family, found in new.items() if family not in old and (m := _first_stated(found)) is not None]
    return (*rows, *(_compared(m, "new", None, m.sentence.text) for m in fresh))


def _by_family(text: str) -> dict[str, list[Mention]]:
    found: dict[str, list[Mention]] = {}
    for mention in mentions_of(sentences_of(text)):
        found.setdefault(mention.finding.family, []).append(mention)
    return found


def _stated(text: str) -> dict[str, Mention]:
    """Findings that the text states, each by its largest or first mention."""
    found: dict[str, Mention] = {}
    for family, mentions in _by_family(text).items():
        first = _first_stated(mentions)
        if first is not None:
            found[family] = first
    return found


def _first_stated(mentions: list[Mention]) -> Mention | None:
    stated = [m for m in mentions if m.stated and "historical" not in m.status]
    return max(stated, key=lambda m: max(m.sizes, default=0.0), default=None)


def _row(family: str, old: Mention, new: list[Mention]) -> Compared:
    now = _first_stated(new)
    if now is None:
        denied = next((m for m in new if m.denied and not m.limited), None)
        return _compared(old, "denied_now" if denied else "not_mentioned", old.sentence.text, denied.sentence.text if denied else None)
    was, is_now = max(old.sizes, default=None), max(now.sizes, default=None)
    if was is None or is_now is None:
        return _compared(old, "in_both", old.sentence.text, now.sentence.text)
    status = "unchanged" if abs(is_now - was) <= _SAME_MM else "larger" if is_now > was else "smaller"
    return _compared(old, status, old.sentence.text, now.sentence.text)


def _compared(mention: Mention, status: str, before: str | None, now: str | None) -> Compared:
    row = {"finding": mention.finding.en, "finding_zh": mention.finding.zh, "status": status, "before": before, "now": now}
    return Compared.model_validate(row)
