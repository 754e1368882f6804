"""How many there are: number words beside a thing, and lists of ribs, vertebrae, node stations that can be counted."""

import re

from tools.reports.lint.reading.vocabulary import group

VALUES = {"single": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "many": 99}
_JOIN = r"(?:\s*(?:,|，|、|/|and|和|及|to|through|-|–|~|～|至)\s*)"
_ORDINAL = r"第?\d{1,2}(?:st|nd|rd|th)?"
_RIBS = re.compile(
    rf"((?:{_ORDINAL}{_JOIN}+)*{_ORDINAL})\s*(?:(?:anterior|lateral|posterior|left|right|前|后|侧)\s*)?(?:ribs?|肋)", re.IGNORECASE
)
_RIBS_BEHIND = re.compile(rf"(?:ribs?|肋骨?)\s*((?:{_ORDINAL}{_JOIN}+)+{_ORDINAL})(?!\s*(?:mm|cm))", re.IGNORECASE)
_SPINE = re.compile(r"(?<![A-Za-z\d])([TL胸腰]\d{1,2})(?:\s*(?:-|–|to|至|~|/|、)\s*([TL胸腰]?)(\d{1,2}))?(?![\d\-.%]|\s*(?:mm|cm))")
_THINGS = {
    "ribs": re.compile(r"(?<![A-Za-z])ribs?(?![A-Za-z])|肋", re.IGNORECASE),
    "vertebrae": re.compile(r"vertebra|(?<![A-Za-z])[TL]\d|椎", re.IGNORECASE),
}
_STATIONS = re.compile(
    r"(?<![\dA-Za-z.])(?=[^。;；]{0,24}\d[RL])\d{1,2}[RL]?(?:\s*(?:、|,|，|/|and|和|及)\s*\d{1,2}[RL]?(?![\d.]|\s*[mc]m))+"
)
_STATION = re.compile(
    r"(?<![A-Za-z\d.])(?:(?:1|2|4|5|6|8|9|10|11|12)[RL]|7)\s*(?:区|组)?(?:\s*[(（]?\s*(?:约|短径)?\d+(?:\.\d+)?\s*(?:mm|cm))"
)


def counts_in(text: str, topics: dict[str, int]) -> dict[str, int]:
    """Number said right before a topic's word, with plain words between, or right behind it (结节 3 枚), or counted from a list."""
    out: dict[str, int] = {}
    for topic, place in topics.items():
        for name, pattern in group("count").items():
            for m in pattern.finditer(text):
                between = text[m.end() : place] if m.end() <= place else text[place : m.start()]
                behind = m.end() > place
                if len(between) <= (5 if behind else 34) and not re.search(
                    r"[,，;；:：()（）\d]|(?<![a-z])(?:year|month|week|day|and|in|of|station)", between, re.IGNORECASE
                ):
                    out.setdefault(topic, VALUES[name])
    return out


def listed(text: str) -> dict[str, int]:
    """Fractured ribs and vertebrae, and node stations, that a whole sentence names one by one."""
    out: dict[str, int] = {}
    ribs = sum(_members(m[1]) for pattern in (_RIBS, _RIBS_BEHIND) for m in pattern.finditer(text))
    spine = sum(_levels(m) for m in _SPINE.finditer(text))
    if re.search(r"fractur|compress|height loss|骨折|压缩", text, re.IGNORECASE):
        out.update({name: n for name, n in (("ribs", ribs), ("vertebrae", spine)) if n})
    run = _STATIONS.search(text)
    stations = max(len(_STATION.findall(text)), len(re.findall(r"\d{1,2}", run.group())) if run else 0)
    if stations > 1:
        out["node"] = stations
    return out


def thing_of(text: str) -> str | None:
    """Which of the listed things a text counts: ribs or vertebrae, None for another."""
    return next((name for name, pattern in _THINGS.items() if pattern.search(text)), None)


def _members(run: str) -> int:
    numbers = [int(n) for n in re.findall(r"\d{1,2}", run)]
    if any(not 1 <= n <= 12 for n in numbers):
        return 0
    if len(numbers) == 2 and re.search(r"to|through|-|–|~|～|至", run, re.IGNORECASE):
        return max(1, numbers[1] - numbers[0] + 1)
    return len(set(numbers))


def _levels(m: re.Match[str]) -> int:
    if not m[3]:
        return 1
    if m[2] not in ("", m[1][0]) or re.search(r"[/、]", m.group()):
        return 2
    return max(1, int(m[3]) - int(m[1][1:]) + 1)
