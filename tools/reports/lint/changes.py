"""Change: the impression's word against the findings', a word against the two sizes beside it, new lesions against "no new lesion"."""

from collections.abc import Iterator

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.compare import about, meet
from tools.reports.lint.reading.subjects import is_place
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.vocabulary import group
from tools.reports.lint.remarks import Remark, differ

pair = messages("tools.report_lint").pair

_WORDS = patterns("tools.report_lint")

_CLASH = {
    frozenset(p)
    for p in (
        ("stable", "up"),
        ("stable", "down"),
        ("up", "down"),
        ("stable", "new"),
        ("down", "new"),
        ("resolved", "stable"),
        ("resolved", "up"),
    )
}
# Plain words in which two pieces must agree where no known thing joins them.
_TWO = 2
# What a reader may call growth of a solid part.
_COMPONENT_MM = 1.5
_MIXED = _WORDS.regex("changes_mixed")


def change_of(p: Piece) -> str | None:
    """What a piece says of change: its two sizes before its words."""
    if p.figures.trend in ("up", "down"):
        return p.figures.trend
    return p.change or p.figures.trend or p.figures.spread


def changes(pieces: list[Piece]) -> Iterator[Remark]:
    """The impression's words of change against the findings of the same thing in the same place, and of the whole."""
    seen = [p for p in pieces if p.sentence.section == "findings" and not group("double")["words"].search(p.sentence.text)]
    for said in (p for p in pieces if p.sentence.section == "impression" and (p.change or _denies_new(p)) and not _MIXED.search(p.text)):
        if _denies_new(said):
            yield from _no_new(said, seen)
            continue
        near = about(said, seen)
        same = [p for p in near[1] if p.names(near[0]) and meet(said, p) and change_of(p)] if near and not is_place(near[0]) else []
        same = same or [p for p in seen if change_of(p) and _in_its_words(said, p)]
        if same:
            yield from _clash(said, same, near[0] if near else "")
        elif not near or is_place(near[0]) or group("overall")["words"].search(said.text):
            yield from _overall(said, seen)


def _in_its_words(said: Piece, p: Piece) -> bool:
    """Whether two pieces without a known thing in common share two plain words and their sides."""
    plain = {t for t in said.topics.keys() & p.topics.keys() if t.startswith("~")}
    return len(plain) >= _TWO and said.wide_sides == p.wide_sides and meet(said, p) and not any(p.denies(t) for t in plain)


def _denies_new(p: Piece) -> bool:
    return bool(group("no_new")["words"].search(p.text))


def _clash(said: Piece, same: list[Piece], topic: str) -> Iterator[Remark]:
    """All findings of the thing changed otherwise; or, where the impression speaks of all of them, one did."""
    own = said.change or ""
    against = [p for p in same if frozenset((own, change_of(p) or "")) in _CLASH and not _slightly(own, p) and not _component(own, p)]
    if not _denies_new(said):  # "new ground-glass on stable fibrosis" says two things
        against = [p for p in against if change_of(p) != "new" or "new" not in _told(said.text)]
    every = own == "stable" and not said.lobes and len(said.sides) != 1 and not said.figures.now
    hard = [p for p in against if change_of(p) == "new" or p.figures.trend in ("up", "down")]
    both = "both" in said.sides and own in ("up", "down") and any(change_of(p) in ("up", "down") and len(p.sides) == 1 for p in against)
    if len(against) == len(same) or (every and hard) or both:
        first = (hard or against)[0]
        yield differ("change", topic, own, change_of(first) or "", first.sentence.text, said.sentence.text)


def _told(text: str) -> set[str]:
    """Every change that a text speaks of."""
    rest = group("change")["stable"].sub(" ", text)  # "no growth" is none
    return {name for name, pattern in group("change").items() if pattern.search(text if name == "stable" else rest)}


def _slightly(word: str, p: Piece) -> bool:
    """Whether two sizes differ the way a word says, by less than the error of measurement."""
    now, then = max(p.figures.now, default=0.0), max(p.figures.before, default=0.0)
    return bool(now and then) and {"up": now > then, "down": now < then}.get(word, False)


def _component(word: str, p: Piece) -> bool:
    """Whether one of several sizes moved as a word says ("15 mm, as before, its solid part 8 mm, before 6 mm")."""
    pairs = list(zip(p.figures.now, p.figures.before, strict=False)) if len(p.figures.now) == len(p.figures.before) > 1 else []
    return any({"up": now - then, "down": then - now}.get(word, 0.0) >= _COMPONENT_MM for now, then in pairs)


def _no_new(said: Piece, seen: list[Piece]) -> Iterator[Remark]:
    """ "No new lesion" against something that the findings call new."""
    for p in seen:
        fresh = p.change == "new" and not group("no_new")["words"].search(p.text)
        if fresh and any(t.endswith(("lesion", "airspace", "node", "cavity")) and p.states(t) for t in p.topics):
            yield differ("change", "lesion", "stable", "new", p.sentence.text, said.sentence.text)
            return


def _overall(said: Piece, seen: list[Piece]) -> Iterator[Remark]:
    """ "Progression" where everything that has two sizes shrank, "improvement" where everything grew."""
    if said.change not in ("up", "down"):
        return
    seen = [p for p in seen if len(_both_ways(p.sentence.text)) < 2]
    moved = [p for p in seen if change_of(p) in ("up", "down", "new") and not any(p.denies(t) for t in p.topics if not is_place(t))]
    if moved and all(frozenset((said.change, change_of(p) or "")) in _CLASH for p in moved):
        yield differ("change", "overall", said.change, change_of(moved[0]) or "", moved[0].sentence.text, said.sentence.text)


def _both_ways(text: str) -> set[str]:
    """Directions of change that a sentence tells: worse first and better since is two stories."""
    return {name for name in ("up", "down") if group("change")[name].search(text)}


def misnamed(pieces: list[Piece]) -> Iterator[Remark]:
    """A word of change against the two sizes beside it."""
    for p in pieces:
        word = p.change
        if group("double")["words"].search(p.sentence.text) or not p.figures.now or not p.figures.before or word in (None, "resolved"):
            continue
        now, then = max(p.figures.now), max(p.figures.before)
        truth = "stable" if abs(now - then) < max(2.0, 0.08 * then) else "up" if now > then else "down"
        wrong = {word, truth} == {"up", "down"} or (word == "stable" and abs(now - then) >= max(2.5, 0.25 * then))
        if wrong or (word in ("up", "down") and abs(now - then) < 0.5):
            yield Remark(
                "change",
                *pair("{then:g} mm before and {now:g} mm now do not fit the word of change beside them.", then=then, now=now),
                (p.sentence.text,),
                *pair("Correct the word or the sizes."),
            )
