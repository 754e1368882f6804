"""Sentences of a drafted report: which section they belong to, which findings they name, and whether a detector contradicts them."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from medmpt_backend.findings import COARSE, FINDINGS
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence

_WORDS = patterns("tools.reports")

if TYPE_CHECKING:
    from medmpt_backend.inference.results import DraftSentence

_HEAD = _WORDS.regex("draft_words_head")
_BARE = _WORDS.regex("draft_words_bare")
_INSIDE = _WORDS.regex("draft_words_inside")
_NEGATIVE = _WORDS.regex("draft_words_negative")
# Words of a report -> the findings whose detectors speak about them, the wider label first.
_NAMES: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (f.detector.words, f.detector.labels)
    for f in sorted(FINDINGS.values(), key=lambda f: f.detector.order if f.detector else 0)
    if f.detector is not None
)
_CLEAR = _WORDS.regex("draft_words_clear")
_OUTSIDE_LUNGS = frozenset(f for f in COARSE if FINDINGS[f].section in ("mediastinum", "wall"))
_BOTH = _WORDS.regex("draft_words_both")
_LEFT, _RIGHT = _WORDS.regex("draft_words_left"), _WORDS.regex("draft_words_right")
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), ids) for pattern, ids in _NAMES)


def split_sections(sentences: "Sequence[DraftSentence]") -> "Iterable[tuple[str, DraftSentence]]":
    """Each sentence with `findings` or `impression`, by the headings that the decoder writes."""
    section = "findings"
    for sentence in sentences:
        head = _HEAD.match(sentence.text)
        if head is not None:
            section = "impression" if head.group(2) else "findings"
        yield section, sentence


def tidy(text: str) -> str:
    """A decoded sentence without its heading, no place named twice, beginning with a capital; empty when nothing is left but a number."""
    body = each_place_once(_INSIDE.sub("", _HEAD.sub("", text)).strip())
    body = re.sub(r"[;；]$", "。" if re.search(r"[\u4e00-\u9fff]", body) else ".", body)
    return body[:1].upper() + body[1:] if re.search(r"\w", body) and not _BARE.fullmatch(body) else ""


_LISTS = tuple((_WORDS.regex(f"draft_words_place_{code}"), _WORDS.regex(f"draft_words_between_{code}")) for code in ("en", "zh"))


def each_place_once(text: str) -> str:
    """The sentence with no lung part twice in one list: "right lower and lower lobes" is the right lower lobe."""
    text = _SAME_SIDE.sub(lambda m: f"{m['one'] or m['eins']}{m['noun'] or ''}", text)
    for place, between in _LISTS:
        text = _once(text, place, between)
    return text


def _once(text: str, place: re.Pattern[str], between: re.Pattern[str]) -> str:
    """Every list of places in one language, shortened where it names one twice; a place without a side has that of the one before."""
    out, end, found = [], 0, list(place.finditer(text))
    while found:
        run = [found.pop(0)]
        while found and between.fullmatch(text, run[-1].end(), found[0].start()):
            run.append(found.pop(0))
        out.append(text[end : run[0].start()] + _shortened(text, run))
        end = run[-1].end()
    return "".join(out) + text[end:]


def _shortened(text: str, run: list[re.Match[str]]) -> str:
    """One list of places, as it stands when each is named once."""
    side, seen, kept = "", set(), []
    for item in run:
        side = (item["side"] or side).lower()
        if (side, item["level"].lower()) not in seen:
            seen.add((side, item["level"].lower()))
            kept.append(item)
    if len(kept) == len(run):
        return text[run[0].start() : run[-1].end()]
    last = kept[-1]
    noun = "" if last["noun"] else run[-1]["noun"] or ""
    if len(kept) == 1 and side in ("right", "left"):
        noun = noun.removesuffix("s")
    joints = [text[one.end() : run[run.index(one) + 1].start()] for one in kept[:-2]] + [text[run[-2].end() : run[-1].start()]]
    head = "".join(f"{one[0]}{joint}" for one, joint in zip(kept[:-1], joints, strict=False))
    return f"{head}{last[0]}{noun}"


_SAME_SIDE = _WORDS.regex("draft_words_sides")
_BRACKET = _WORDS.regex("draft_words_tight")
_SIZE = _WORDS.regex("draft_words_size")


def blank_sizes(text: str) -> str:
    """The sentence with `__` for every size: a decoder writes sizes that nothing measured, and the person who signs fills them in."""
    return _BRACKET.sub(" ", _SIZE.sub("__", text))


def denies(text: str) -> bool:
    """Whether the sentence is a negative."""
    return _NEGATIVE.search(text) is not None


def named(text: str) -> tuple[tuple[str, ...], ...]:
    """Findings that a sentence names, each as the ids whose detectors speak about it; longer names take their words first."""
    found, rest = [], text
    for pattern, ids in _COMPILED:
        if pattern.search(rest):
            rest = pattern.sub(" ", rest)
            found.append(ids)
    return tuple(found)


def contradiction(text: str, detected: Iterable[Evidence], denials: bool) -> str | None:
    """Why a drafted sentence must not stand, None when it may.

    Args:
        text: The sentence.
        detected: Evidence of the detectors: key `M-STUDY-FINDING`, `present` True, False or None.
        denials: Whether negatives may be stated at all (inside the domain).
    """
    known = {e.key.rsplit("-", 1)[-1]: e for e in detected}
    negative = denies(text)
    if negative and not denials:
        return "a negative is stated only inside the domain of the model"
    if _CLEAR.search(text):
        seen = next((e for name, e in known.items() if e.present and name not in _OUTSIDE_LUNGS), None)
        return f"the detector finds {seen.subjects[0]}" if seen is not None and seen.subjects else None
    for ids in named(text):
        found = [known[i] for i in ids if i in known]
        label = ids[0].replace("_", " ") if ids else "this finding"
        states = {e.present for e in found}
        if negative and True in states:
            return f"the detector finds {label}"
        if negative and False not in states:
            return f"no detector for {label} stayed below its operating point"
        if not negative and states == {False}:
            return f"the detector finds no {label}"
        if not negative and (side := _other_side(text, found)):
            return f"the detector places {label} on the {side}"
    return None


def _other_side(text: str, found: list[Evidence]) -> str | None:
    """The detector's side where the sentence names the other one, or both."""
    left, right = _LEFT.search(text) is not None, _RIGHT.search(text) is not None
    sides = {e.side for e in found if e.present and e.side}
    if _BOTH.search(text) and len(sides) == 1 and "both" not in sides:
        return f"{next(iter(sides))} only"
    if left == right:
        return None
    return next((str(s) for s in sides), None) if sides == {"right" if left else "left"} else None
