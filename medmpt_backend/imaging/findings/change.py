"""What changed between two scans of one patient apart from nodules: lung volume, pleura, dense lung, ground glass, emphysema."""

from dataclasses import dataclass

from medmpt_backend.imaging.findings.groups import Findings
from medmpt_backend.imaging.quantify import Quantification

# Shares of density follow the depth of breath: lungs that differ by more than this are not compared by them.
MOST_BREATH_PCT = 20.0


@dataclass(frozen=True)
class Change:
    """One figure on both scans.

    Attributes:
        name: Of the figure, with its unit at the end.
        prior: On the earlier scan.
        current: On the later one.
        change: Their difference, None where they cannot be compared.
        because: Why not.
    """

    name: str
    prior: float | None
    current: float | None
    change: float | None
    because: str | None


def changes(current: Quantification, prior: Quantification) -> tuple[Change, ...]:
    """Every figure of both scans, compared where both lie inside the domain of the method.

    Args:
        current: The later scan.
        prior: The earlier scan.
    """
    now, before = current.findings, prior.findings
    found = [_change("lungs_total_l", current.lungs.total_l, prior.lungs.total_l, _outside("total_l", current, prior))]
    for name in ("effusion", "pneumothorax"):
        for side in ("right", "left"):
            figures = [getattr(getattr(group, name), f"{side}_ml") for group in (now, before)]
            found.append(_change(f"{name}_{side}_ml", figures[0], figures[1], _unfit(name, now, before)))
    found.append(_change("consolidation_ml", now.consolidation.ml, before.consolidation.ml, _unfit("consolidation", now, before)))
    breath = 100 * (current.lungs.total_l / max(prior.lungs.total_l, 1e-6) - 1)
    for name in ("ggo_pct", "laa950_pct"):
        because = _outside(name, current, prior)
        if because is None and abs(breath) > MOST_BREATH_PCT:
            because = f"The lungs hold {breath:+.0f} % against before: the depth of breath differs."
        found.append(_change(name, getattr(current.lungs, name), getattr(prior.lungs, name), because))
    return tuple(found)


def _change(name: str, current: float | None, prior: float | None, because: str | None) -> Change:
    """The difference, or why there is none."""
    if current is None or prior is None:
        return Change(name, prior, current, None, because or "Not measured on both scans.")
    return Change(name, prior, current, None if because else current - prior, because)


def _unfit(name: str, current: Findings, prior: Findings) -> str | None:
    """Why a group is outside its domain on one of the scans."""
    for when, found in (("now", current), ("before", prior)):
        group = getattr(found, name)
        if group.validity != "in":
            return f"Outside the domain of the method {when}: {group.because}"
    return None


def _outside(name: str, current: Quantification, prior: Quantification) -> str | None:
    """Why a share of the lungs is outside its domain on one of the scans."""
    for when, q in (("now", current), ("before", prior)):
        if q.validity(name) != "in":
            reasons = [limit.reason for limit in q.limits if name in limit.figures]
            return f"Outside the domain of the method {when}: {' '.join(reasons)}"
    return None
