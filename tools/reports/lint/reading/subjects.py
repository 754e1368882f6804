"""What a text speaks of: topics of `topics.toml` with the place of their words, and the plain words that are left."""

import re
from functools import cache, lru_cache

from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.vocabulary import group, table, union

_WORDS = patterns("tools.report_lint")

# A word of an organ this far away is of something else, where the lung is named too.
_NEAR = 60
_CLAUSE = 100
_JOINED = {("pericardial", "effusion"): "pericardial_effusion"}
_FOREIGN_LOBE = _WORDS.regex("subjects_foreign_lobe")
_LUNG = _WORDS.regex("subjects_lung")
_BORING_HAN = _WORDS.regex("subjects_boring_han", 0)


@cache
def rows() -> dict[str, dict[str, object]]:
    """The table of topics."""
    return table("topics")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    return {name: union(row["words"]) for name, row in rows().items()}  # type: ignore[arg-type]


@cache
def _stop() -> frozenset[str]:
    return frozenset(table("words")["stop"]["words"])


def is_place(topic: str) -> bool:
    """Whether a topic is rather a place or a plain word, and pairs sentences only when nothing else does."""
    return topic.startswith("~") or bool(rows().get(topic, {}).get("place"))


def is_body(topic: str) -> bool:
    """Whether a topic is a part of the body or a device: "no stenosis of the trachea" does not deny the trachea."""
    return bool(rows().get(topic, {}).get("body"))


def is_loose(topic: str) -> bool:
    """Whether words of one topic are so different that a denial of one says nothing of another (no mass, but a nodule)."""
    return bool(rows().get(topic.split(" ")[-1], {}).get("loose"))


@lru_cache(maxsize=4096)
def known(text: str) -> tuple[tuple[str, int, int], ...]:
    """Topics with the place of their words, the longest of overlapping ones, wider topics beside them."""
    hits = [(name, m.start(), m.end()) for name, pattern in _patterns().items() for m in pattern.finditer(text) if m.end() > m.start()]
    kept: list[tuple[str, int, int]] = []
    for hit in sorted(hits, key=lambda h: (h[1] - h[2], h[1])):
        if all(hit[2] <= k[1] or k[2] <= hit[1] for k in kept):
            kept.append(hit)
    out: dict[str, tuple[str, int, int]] = {}
    for name, start, end in sorted(kept, key=lambda k: k[1]):
        also = rows()[name].get("also", [])
        for topic in (name, *(also if isinstance(also, list) else [])):
            scoped = _of_organ(topic, text, start, end)
            out.setdefault(scoped, (scoped, start, end))
    return tuple(out.values())


def _of_organ(name: str, text: str, start: int, end: int) -> str:
    """A lesion of the liver is another topic than one of the lung."""
    if not rows()[name].get("organ"):
        return name
    hits = [(_gap(m, start, end), o) for o, pattern in group("organ").items() for m in pattern.finditer(text)]
    lungs = [_gap(m, start, end) for m in _LUNG.finditer(_FOREIGN_LOBE.sub(lambda m: "_" * len(m.group()), text))]
    gap, organ = min(hits, default=(0, None))
    if organ is None or (lungs and (gap > _NEAR or min(lungs) <= gap)):
        return name
    return _JOINED.get((organ, name), f"{organ} {name}")


def organ_of(text: str) -> str | None:
    """The organ that a sentence names first, where it names no part of the lung."""
    if _LUNG.search(_FOREIGN_LOBE.sub("", text)):
        return None
    hits = [(m.start(), o) for o, pattern in group("organ").items() for m in [pattern.search(text)] if m]
    return min(hits, default=(0, None))[1]


def scoped(topic: str, organ: str | None) -> str:
    """A topic of an organ that only the sentence around it names."""
    if organ is None or not rows().get(topic, {}).get("organ"):
        return topic
    return _JOINED.get((organ, topic), f"{organ} {topic}")


def _gap(m: re.Match[str], start: int, end: int) -> int:
    """How far a word stands from a mention; commas and what ends a clause count for more."""
    between = m.string[m.end() : start] if m.end() <= start else m.string[end : m.start()]
    return len(between) + _CLAUSE * len(re.findall(r"[;；。]|\. ", between))


def plain(text: str, spans: tuple[tuple[str, int, int], ...]) -> dict[str, int]:
    """Plain words that no topic took: English stems and Chinese trigrams, with their place."""
    out: dict[str, int] = {}
    taken = [(a, b) for _, a, b in spans]
    for m in re.finditer(r"[A-Za-z]{5,}", text):
        word = m.group().lower()
        if word not in _stop() and not any(a < m.end() and m.start() < b for a, b in taken):
            out.setdefault(f"~{word[:6]}", m.start())
    for m in re.finditer(r"[\u4e00-\u9fff]{3,}", text):
        for i in range(len(m.group()) - 2):
            start = m.start() + i
            if not _BORING_HAN.search(text[start : start + 3]) and not any(a < start + 3 and start < b for a, b in taken):
                out.setdefault(f"~{text[start : start + 3]}", start)
    return out


def change_in(text: str) -> str | None:
    """How a thing changed; "no increase" is stable."""
    hits = sorted((m.start(), -len(m.group()), name) for name, pattern in group("change").items() for m in pattern.finditer(text))
    if any(name == "stable" for _, _, name in hits):
        return "stable"
    return hits[0][2] if hits else None
