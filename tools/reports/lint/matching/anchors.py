"""A size in findings and impression names one lesion: its place must be one too. And slips of mm and cm between them."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.subjects import is_place
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.vocabulary import group
from tools.reports.lint.remarks import Remark, differ

pair = messages("tools.report_lint").pair

_SAME_MM = 0.05
# Names that readers use for one lesion, and where something is said to lie.
_LESIONS = frozenset(("lesion", "ground_glass", "airspace", "metastasis"))
_LIES = patterns("tools.report_lint").regex("anchors_lies")
# Smaller sizes are shared by too many things to name one.
_NAMING_MM = 5.0


def anchored(pieces: list[Piece]) -> Iterator[Remark]:
    """Lesions of one size in two places."""
    plain = [p for p in pieces if not group("double")["words"].search(p.sentence.text)]
    seen = [p for p in plain if p.sentence.section == "findings"]
    told = [_placed(p, after) for p, after in itertools.zip_longest(plain, plain[1:])]
    for said in (p for p in told if p.sentence.section == "impression" and p.figures.now):
        size = max(said.figures.now)
        here = [p for p in seen if any(abs(size - n) < _SAME_MM for n in p.figures.now) and _alike(said, p)]
        if size >= _NAMING_MM and here:
            yield from _apart(said, here)
        elif not here:
            found = list(_slipped(said, size, seen)) or list(_resized(said, size, seen))
            yield from found


def _placed(said: Piece, after: Piece | None) -> Piece:
    """A size whose place only the next piece of its sentence tells ("the larger one 9 mm, in the right upper lobe")."""
    own = said.figures.now and not said.lobes and len(said.sides - {"both"}) == 0
    if not own or after is None or after.figures.now or not _LIES.search(after.text):
        return said
    if after.sentence != said.sentence and after.sentence.section != "recommendation":  # a clause of advice is a sentence of its own
        return said
    return replace(said, sides=after.sides, lobes=after.lobes)


def _resized(said: Piece, size: float, seen: list[Piece]) -> Iterator[Remark]:
    """A size of a place for which the findings give only others, where nothing in the findings has that size."""
    sides = said.sides - {"both"}
    if len(sides) != 1 or len(said.lobes) != 1 or any(abs(size - n) <= 1.0 for p in seen for n in (*p.figures.now, *p.figures.before)):
        return
    here = [p for p in seen if p.sides == sides and p.lobes == said.lobes and p.figures.now and not p.figures.before]
    own = {t for t in said.topics if not is_place(t)}
    if len(here) == 1 and not said.figures.before and (not own or own <= _LESIONS) and _LESIONS & here[0].topics.keys():
        yield differ("size", "lesion", f"{size:g} mm", f"{max(here[0].figures.now):g} mm", here[0].sentence.text, said.sentence.text)


def _alike(a: Piece, b: Piece) -> bool:
    """Whether two pieces may speak of one thing: they share a topic, or one of them has none."""
    own, other = ({t for t in p.topics if not is_place(t)} for p in (a, b))
    return not own or not other or bool(own & other)


def _apart(said: Piece, here: list[Piece]) -> Iterator[Remark]:
    """The first of side and lobe that none of them shares."""
    for kind, own, others in (
        ("side", said.sides, [p.sides or p.wide_sides for p in here]),
        ("lobe", said.lobes, [p.lobes or p.wide_lobes for p in here]),
    ):
        if len(own) == 1 and "both" not in own and others and all(len(o) == 1 and not o & _wide(own) and "both" not in o for o in others):
            topic = next((t for t in said.topics if not t.startswith("~")), "lesion")
            yield differ(
                "side" if kind == "side" else "lobe", topic, min(own), min(others[0]), here[0].sentence.text, said.sentence.text
            )  # fmt: skip
            return


def _wide(names: frozenset[str]) -> frozenset[str]:
    return names | ({"upper", "lingula"} if names & {"upper", "lingula"} else frozenset())


def _slipped(said: Piece, size: float, seen: list[Piece]) -> Iterator[Remark]:
    """The same digits with another unit."""
    for p in seen:
        odd = next((n for n in p.figures.now if abs(n - size * 10) < _SAME_MM or abs(n * 10 - size) < _SAME_MM), None)
        same_place = bool(said.sides) and said.sides == p.sides and said.lobes == p.lobes
        if odd is not None and (_alike(said, p) or same_place):
            topic = next((t for t in said.topics if not t.startswith("~")), "lesion")
            yield differ("unit", topic, f"{size:g} mm", f"{odd:g} mm", p.sentence.text, said.sentence.text)
            return
