"""Tubes, lines and leads: where the findings and the impression put their tips, and whether a wrong place is called a good one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from retrieval.concepts.context import statuses
from retrieval.messages.catalogue import messages
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.vocabulary import group, table, union
from tools.reports.lint.remarks import Remark, label

pair = messages("tools.report_lint").pair


@dataclass(frozen=True)
class _Tip:
    """Where one sentence puts the tip of a device."""

    device: str
    sides: frozenset[str]
    places: frozenset[str]
    sentence: Sentence


def placed(sentences: list[Sentence]) -> Iterator[Remark]:
    """Tips in two places, and a wrong place that is called good."""
    tips = [t for s in sentences if s.section not in ("history", "technique") for t in _tips(s)]
    seen = [t for t in tips if t.sentence.section == "findings"]
    for said in (t for t in tips if t.sentence.section in ("impression", "recommendation")):
        same = [t for t in seen if t.device == said.device and _one_side(t, said)]
        known = [t for t in same if t.places]
        if said.places and known and not any(t.places & said.places for t in known):
            yield _differ(said, known[0], min(said.places), min(known[0].places))
            return
    yield from _praised(seen, sentences)


def _praised(seen: list[_Tip], sentences: list[Sentence]) -> Iterator[Remark]:
    """A wrong place in the findings, and "well placed" in the impression."""
    said = [s for s in sentences if s.section in ("impression", "recommendation")]
    if any(_words("ill").search(s.text) for s in said):
        return
    wrong = [t for t in seen if t.places and t.places <= set(table("devices")["wrong"].get(t.device, ()))]
    good = next((s for s in said if _words("well").search(s.text) and _about_devices(s)), None)
    if wrong and good is not None:
        yield Remark(
            "presence",
            *pair("The tip lies where it should not ({place}), and its position is called good.", place=label(min(wrong[0].places))),
            (wrong[0].sentence.text, good.text),
            *pair("Look at the images and name the place of the tip."),
        )


def _differ(said: _Tip, seen: _Tip, own: str, other: str) -> Remark:
    return Remark(
        "presence",
        *pair("The tip of one device lies in two places: {own} and {other}.", own=label(own), other=label(other)),
        (seen.sentence.text, said.sentence.text),
        *pair("Look at the images and name the place of the tip."),
    )


def _about_devices(sentence: Sentence) -> bool:
    return any(p.search(sentence.text) for p in _devices().values()) or bool(group("devices")["words"].search(sentence.text))


def _one_side(a: _Tip, b: _Tip) -> bool:
    return not a.sides or not b.sides or bool(a.sides & b.sides)


def _tips(sentence: Sentence) -> Iterator[_Tip]:
    """Tips in a sentence: each device with the places up to the next one."""
    hits = sorted((m.start(), m.end(), name) for name, pattern in _devices().items() for m in pattern.finditer(sentence.text))
    hits = [h for i, h in enumerate(hits) if not any(o[0] <= h[0] and h[1] <= o[1] and o != h for o in hits[:i] + hits[i + 1 :])]
    for i, (start, end, name) in enumerate(hits):
        high = hits[i + 1][0] if i + 1 < len(hits) else len(sentence.text)
        own = sentence.text[end:high]
        told = bool(_words("tip").search(own) or _words("tip").search(re.split(r"[.;,，；。]", sentence.text[:start])[-1]))
        places = frozenset(place for place, pattern in _places().items() if told and pattern.search(own))
        lead = re.split(r"[.;,，；。]", sentence.text[:start])[-1]
        sides = frozenset(k for k, p in group("side").items() if k != "both" and p.search(lead[-24:]))
        if "negated" not in statuses(sentence.text, start, end):
            yield _Tip(name, sides, places, sentence)


@cache
def _devices() -> dict[str, re.Pattern[str]]:
    return {name: union(words) for name, words in table("devices")["device"].items()}


@cache
def _places() -> dict[str, re.Pattern[str]]:
    return {name: union(words) for name, words in table("devices")["place"].items()}


@cache
def _words(name: str) -> re.Pattern[str]:
    return union(table("devices")["words"][name])
