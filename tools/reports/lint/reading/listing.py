"""How many there are: number words beside a thing, and lists of ribs, vertebrae, node stations that can be counted."""

import re

from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.units import number
from tools.reports.lint.reading.vocabulary import group

_WORDS = patterns("tools.report_lint")
_BROKEN = _WORDS.regex("listing_broken")
_RUN = _WORDS.regex("listing_run")

MANY = 99
VALUES = {"single": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "many": MANY}
# "Fractures of three ribs": the number belongs to what stands before it.
_OF = _WORDS.regex("listing_of")
_TOTAL = _WORDS.regex("listing_total")
_CLASSED = _WORDS.regex("listing_classed")
_SIZE = _WORDS.regex("figures_size")
_TIMES = _WORDS.regex("listing_times")
_PAIRED = _WORDS.regex("listing_paired")
_RIBS = _WORDS.regex("listing_ribs")
_RIBS_BEHIND = _WORDS.regex("listing_ribs_behind")
_SPINE = _WORDS.regex("listing_spine", 0)
_THINGS = {
    "ribs": _WORDS.regex("listing_rib_word"),
    "vertebrae": _WORDS.regex("listing_spine_word"),
}
_LETTERS = _WORDS.table("listing_letters")
_STATIONS = _WORDS.regex("listing_stations", 0)
_STATION = _WORDS.regex("listing_station", 0)


def counts_in(text: str, topics: dict[str, int]) -> dict[str, int]:
    """Number said right before a topic's word, with plain words between, or right behind it as in Chinese, or counted from a list."""
    out: dict[str, int] = {}
    for topic, place in topics.items():
        for name, pattern in group("count").items():
            for m in pattern.finditer(text):
                between = _SIZE.sub("", text[m.end() : place] if m.end() <= place else text[place : m.start()])
                behind = m.end() > place
                if behind and _OF.fullmatch(text[place : m.start()]):
                    out.setdefault(topic, VALUES[name])
                if len(between) <= (5 if behind else 34) and not re.search(
                    r"[,，;；:：()（）\d]|(?<![a-z])(?:year|month|week|day|and|in|of|station)", between, re.IGNORECASE
                ):
                    out.setdefault(topic, VALUES[name])
    out.update(_totals(text, topics))
    times = _TIMES.search(text)
    if times is not None:  # "5 mm x2": two of that size
        out.update({t: int(times[1]) for t in topics if not t.startswith("~")} or {"lesion": int(times[1])})
    return out


def times_in(text: str) -> bool:
    """Whether a text multiplies sizes ("5 mm x2")."""
    return _TIMES.search(text) is not None


def _totals(text: str, topics: dict[str, int]) -> dict[str, int]:
    """A total that is said of what a text speaks of ("three in total")."""
    m = _TOTAL.search(text)
    first = min((t for t in topics if not t.startswith("~")), key=lambda t: topics[t], default=None)
    if m is None or first is None:
        return {}
    said = m["zh"] or m["en"] or m["of"]
    return {first: VALUES[said.lower()] if said.lower() in VALUES else int(number(said))}


def numbers_of(text: str) -> set[int]:
    """Numbers that a sentence may be taken to give: a total, and the sum of its parts."""
    out: set[int] = set()
    parts = [(bool(m["each"]), int(number(m["n"]))) for m in _CLASSED.finditer(text)]
    if parts:
        pair = 2 if _PAIRED.search(text) else 1
        out.add(sum(n * (pair if each else 1) for each, n in parts))
    times = [int(m[1]) for m in _TIMES.finditer(text)]
    if times:  # "5 mm x2, 4 mm x3, 3 mm"
        out.add(sum(times) + len(_SIZE.findall(text)) - len(times))
    m = _TOTAL.search(text)
    if m is not None:
        said = m["zh"] or m["en"] or m["of"]
        out.add(VALUES[said.lower()] if said.lower() in VALUES else int(number(said)))
    return out


def listed(text: str) -> dict[str, int]:
    """Fractured ribs and vertebrae, and node stations, that a whole sentence names one by one."""
    out: dict[str, int] = {}
    ribs = len(ribs_in(text))
    spine = sum(_levels(m) for m in _SPINE.finditer(text))
    if _BROKEN.search(text):
        out.update({name: n for name, n in (("ribs", ribs), ("vertebrae", spine)) if n})
    run = _STATIONS.search(text)
    stations = max(len(_STATION.findall(text)), len(re.findall(r"\d{1,2}", run.group())) if run else 0)
    if stations > 1:
        out["node"] = stations
    return out


def ribs_in(text: str) -> set[tuple[str, int]]:
    """Ribs that a text names by number, with the side named last before them; one that is named twice is one rib."""
    found = [m for pattern in (_RIBS, _RIBS_BEHIND) for m in pattern.finditer(text)]
    # "3 rib fractures" counts them.
    named = [m for m in found if not (m[1].isdigit() and m.re is _RIBS and m.group()[-1].isascii())]
    return {(_side_before(text, m.start()), n) for m in named for n in _members(m[1])}


def vertebrae_in(text: str) -> set[str]:
    """Vertebrae that a text names, those within a run included; names in letters ("T8")."""
    out: set[str] = set()
    for m in _SPINE.finditer(text):
        first, high = int(m[1][1:]), int(m[3] or m[1][1:])
        run = range(first, high + 1) if m[2] in ("", None, m[1][0]) and not re.search(r"[/、]", m.group()) else (first,)
        out |= {f"{_LETTERS.get(m[1][0], m[1][0])}{n}" for n in run}
        if m[3]:
            letter = m[2] or m[1][0]
            out.add(f"{_LETTERS.get(letter, letter)}{high}")
    return out


def thing_of(text: str) -> str | None:
    """Which of the listed things a text counts: ribs or vertebrae, None for another."""
    return next((name for name, pattern in _THINGS.items() if pattern.search(text)), None)


def _members(run: str) -> set[int]:
    """Ribs that a list or a run of numbers names."""
    numbers = [int(n) for n in re.findall(r"\d{1,2}", run)]
    if any(not 1 <= n <= 12 for n in numbers):
        return set()
    if len(numbers) == 2 and _RUN.search(run):
        return set(range(numbers[0], numbers[1] + 1)) or {numbers[0]}
    return set(numbers)


def _side_before(text: str, place: int) -> str:
    """The side that is named last before a place; one rib named twice is one rib."""
    hits = [(m.start(), name) for name in ("left", "right") for m in group("side")[name].finditer(text, 0, place)]
    return max(hits, default=(0, ""))[1]


def _levels(m: re.Match[str]) -> int:
    if not m[3]:
        return 1
    if m[2] not in ("", m[1][0]) or re.search(r"[/、]", m.group()):
        return 2
    return max(1, int(m[3]) - int(m[1][1:]) + 1)
