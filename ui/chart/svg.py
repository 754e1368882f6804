"""Small drawings: a value in its interval, a course over time, a neighbourhood. Each stands beside a table that says the same."""

import math
from collections.abc import Sequence
from datetime import datetime
from html import escape

from agent.chart.views import Edge, Point
from tools.labs.value import shown

_WIDE, _HIGH = 120, 14
_FIGURES = 8  # points that may carry their figure in a drawing; the table beside it has them all


def interval_bar(value: float, low: float | None, high: float | None) -> str:
    """Where a value stands against its interval: the interval fills the middle half of the bar; empty without an interval."""
    if low is None and high is None:
        return ""
    bottom, top = _ends(low, high)
    span = (top - bottom) or abs(top) or 1.0
    place = 0.25 + 0.5 * (value - bottom) / span
    x = _WIDE * min(0.98, max(0.02, place))
    inside = (low is None or value >= low) and (high is None or value <= high)
    start, end = (0.0 if low is None else 0.25), (1.0 if high is None else 0.75)
    return (
        f'<svg class="interval" viewBox="0 0 {_WIDE} {_HIGH}" width="{_WIDE}" height="{_HIGH}" aria-hidden="true" focusable="false">'
        f'<rect class="track" x="0" y="5" width="{_WIDE}" height="4" rx="2"/>'
        f'<rect class="normal" x="{start * _WIDE:.0f}" y="5" width="{(end - start) * _WIDE:.0f}" height="4" rx="2"/>'
        f'<circle class="{"in" if inside else "out"}" cx="{x:.1f}" cy="7" r="5"/></svg>'
    )


def _ends(low: float | None, high: float | None) -> tuple[float, float]:
    if low is not None and high is not None:
        return low, high
    if high is not None:
        return 0.0, high
    return low or 0.0, (low or 1.0) * 2


def sparkline(points: Sequence[Point], low: float | None, high: float | None) -> str:
    """The course of a value, with its interval as a band; empty for a single value."""
    if len(points) < 2:
        return ""
    values = [p.value for p in points]
    ends = [v for v in (low, high) if v is not None]
    bottom, top = min(values + ends), max(values + ends)
    span = (top - bottom) or 1.0
    tall, wide = 26, 110
    times = [_seconds(p.time, i) for i, p in enumerate(points)]
    length = (times[-1] - times[0]) or 1.0

    def y(value: float) -> float:
        return tall - 4 - (tall - 8) * (value - bottom) / span

    places = [(4 + (wide - 8) * (t - times[0]) / length, y(v)) for t, v in zip(times, values, strict=True)]
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
    band = ""
    if ends:
        upper, lower = y(high) if high is not None else 0.0, y(low) if low is not None else float(tall)
        band = f'<rect class="normal" x="0" y="{upper:.1f}" width="{wide}" height="{max(1.0, lower - upper):.1f}"/>'
    dots = "".join(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="2.5"/>' for px, py in places)
    return (
        f'<svg class="spark" viewBox="0 0 {wide} {tall}" width="{wide}" height="{tall}" aria-hidden="true" focusable="false">'
        f'{band}<polyline points="{path}"/>{dots}</svg>'
    )


def course(points: Sequence[Point], low: float | None, high: float | None) -> str:
    """The course of a value, to be read: its interval as a band with its limits, a figure at every point, first and last day."""
    wide, tall, left, right, top, foot = 420, 190, 46, 14, 18, 24
    values = [p.value for p in points]
    ends = [v for v in (low, high) if v is not None]
    bottom, peak = min(values + ends), max(values + ends)
    span = (peak - bottom) or 1.0
    times = [_seconds(p.time, i) for i, p in enumerate(points)]
    length = (times[-1] - times[0]) or 1.0

    def y(value: float) -> float:
        return tall - foot - (tall - top - foot) * (value - bottom) / span

    places = [(left + (wide - left - right) * (t - times[0]) / length, y(v)) for t, v in zip(times, values, strict=True)]
    upper, lower = y(high) if high is not None else float(top), y(low) if low is not None else float(tall - foot)
    drawn = (
        [f'<rect class="normal" x="{left}" y="{upper:.1f}" width="{wide - left - right}" height="{max(1.0, lower - upper):.1f}"/>']
        if ends
        else []
    )
    drawn += [f'<text x="{left - 6}" y="{y(v) + 4:.1f}" text-anchor="end">{shown(v)}</text>' for v in ends]
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
    drawn.append(f'<polyline points="{path}"/>')
    drawn += [
        f'<circle cx="{px:.1f}" cy="{py:.1f}" r="4"><title>{escape(p.time[:16].replace("T", " "))} {shown(p.value)}</title></circle>'
        for p, (px, py) in zip(points, places, strict=True)
    ]
    drawn += [_figure(p, place, wide) for p, place in zip(points, places, strict=True)] if len(points) <= _FIGURES else []
    days = [(left, "start", points[0]), (wide - right, "end", points[-1])]
    drawn += [f'<text x="{x}" y="{tall - 6}" text-anchor="{anchor}">{escape(p.time[:10])}</text>' for x, anchor, p in days]
    return f'<svg class="spark course" viewBox="0 0 {wide} {tall}" aria-hidden="true" focusable="false">{"".join(drawn)}</svg>'


def _figure(point: Point, place: tuple[float, float], wide: int) -> str:
    """A value above its point, kept inside the drawing."""
    x = min(wide - 22.0, max(60.0, place[0]))
    return f'<text class="figure" x="{x:.1f}" y="{max(12.0, place[1] - 8):.1f}" text-anchor="middle">{shown(point.value)}</text>'


def _seconds(time: str, number: int) -> float:
    """Time of a point; its place in the row where the time cannot be read."""
    try:
        return datetime.fromisoformat(time).timestamp()
    except ValueError:
        return float(number)


def neighbourhood(edges: Sequence[Edge], centre: str) -> str:
    """Medicines and conditions in a ring around the patient, joined by what the drug graph says of them."""
    names = list(dict.fromkeys(n for e in edges for n in (e.a, e.b) if n != centre))
    if not names:
        return ""
    wide, tall = 560, 320
    place = {centre: (wide / 2, tall / 2)}
    for i, name in enumerate(names):
        angle = 2 * math.pi * i / len(names) - math.pi / 2
        place[name] = (wide / 2 + 205 * math.cos(angle), tall / 2 + 125 * math.sin(angle))
    low, high = (pick(y for _, y in place.values()) for pick in (min, max))
    lines = "".join(
        f'<line class="{escape(e.severity or "none")}" x1="{place[e.a][0]:.0f}" y1="{place[e.a][1]:.0f}" x2="{place[e.b][0]:.0f}" '
        f'y2="{place[e.b][1]:.0f}"><title>{escape(e.text)}</title></line>'
        for e in edges
    )
    nodes = "".join(_node(name, *place[name], centre=name == centre) for name in place)
    box = f"0 {low - 18:.0f} {wide} {high - low + 36:.0f}"  # no taller than the ring
    return f'<svg class="graph" viewBox="{box}" role="img" aria-hidden="true" focusable="false">{lines}{nodes}</svg>'


def _node(name: str, x: float, y: float, *, centre: bool) -> str:
    shown = name if len(name) <= 22 else f"{name[:21]}…"
    width = 18 + sum(13 if ord(c) > 0x2E80 else 7.4 for c in shown)
    kind, left = "node centre" if centre else "node", x - width / 2
    return (
        f'<g class="{kind}"><rect x="{left:.0f}" y="{y - 14:.0f}" width="{width:.0f}" height="28" rx="14"/>'
        f'<text x="{x:.0f}" y="{y + 4.5:.0f}" text-anchor="middle">{escape(shown)}</text></g>'
    )
