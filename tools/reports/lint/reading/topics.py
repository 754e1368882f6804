"""Pieces of a report, each about one thing or a few: topics, place, sizes, numbers, change, and what is denied of them.

Topics are what `topics.toml` knows; beside them stand the plain words that are left (English stems, Chinese trigrams), which pair sentences
only when nothing else does.
"""

import itertools
import re
from dataclasses import dataclass, replace

from retrieval.concepts.context import Status, statuses
from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.figures import SIZE, Figures, figures_in
from tools.reports.lint.reading.listing import counts_in
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.subjects import change_in, known, organ_of, plain, scoped
from tools.reports.lint.reading.vocabulary import group, table

_WORDS = patterns("tools.report_lint")
_JOINED_WITH = _WORDS.regex("topics_joined_with", 0)
_CALIBRE = _WORDS.regex("topics_calibre", 0)
_SAVE = _WORDS.regex("topics_save")
_CARRIED = _WORDS.regex("topics_carried")
_REST = _WORDS.regex("topics_rest")
_ORGAN_HEAD = re.compile(r"^\W*(?:[A-Za-z]+ ?){1,3}$")
_LISTED = _WORDS.regex("topics_listed")
_JOINED_AND = _WORDS.regex("topics_joined_and", 0)

_PIECE = _WORDS.regex("topics_piece")
_REFERS = _WORDS.regex("topics_refers")


_COMMA = re.compile(r"[,，;；。]")
# A word this near behind a finding tells what became of it.
_BEHIND = 30
_EDGE = _WORDS.text("topics_edge")
_LONG_AGO = _WORDS.regex("topics_long_ago")
# "On the left, a nodule": the place is of what follows.
_LEADING = re.compile(r"^\W*(?:on|in|at) (?:the |both )?(?:left|right)[\w -]{0,20},", re.IGNORECASE)
_NOT_EXCLUDED = _WORDS.regex("topics_not_excluded")
_ROW = re.compile(r"^\W*#\s?\d")
_NONE_OF = _WORDS.regex("topics_none_of")
_VERB = _WORDS.regex("topics_verb")
_ELSEWHERE = _WORDS.regex("topics_elsewhere")
_WELL = _WORDS.regex("topics_well", 0)


@dataclass(frozen=True)
class Piece:
    """One thing that is said.

    Attributes:
        text: The words of the piece.
        sentence: Where it stands.
        topics: Topic to the place of its word in `text`; plain words begin with `~`.
        sides: Sides that are said in the piece.
        lobes: Lobes that are said in the piece.
        wide_sides: Sides of the whole sentence, for a piece that has none.
        wide_lobes: Lobes of the whole sentence.
        figures: Sizes now and before, and other numbers by unit.
        counts: Numbers of things; 99 for "multiple", 1 only where it is said that there is one.
        status: Topic to what the context says of it.
        limited: Topics of which only a part is denied ("no other nodule").
        change: `stable`, `up`, `down`, `new`, `resolved`, None.
    """

    text: str
    sentence: Sentence
    topics: dict[str, int]
    sides: frozenset[str]
    lobes: frozenset[str]
    wide_sides: frozenset[str]
    wide_lobes: frozenset[str]
    figures: Figures
    counts: dict[str, int]
    status: dict[str, frozenset[Status]]
    limited: frozenset[str]
    change: str | None

    def denies(self, topic: str) -> bool:
        """Whether the topic is said to be absent, as a whole."""
        return self._negated(topic) or self.change == "resolved"

    def names(self, topic: str) -> bool:
        """Whether the topic is or was there, in this patient."""
        there = self.change == "resolved" or not self._negated(topic)
        return topic in self.topics and there and not self.status[topic] & {"family", "hypothetical"}

    def _negated(self, topic: str) -> bool:
        """Whether the topic is denied; what is absorbed in part is still there, and an operation that nothing came after was done."""
        if "negated" not in self.status.get(topic, ()) or topic == "resection" or group("not_before")["words"].search(self.text):
            return False
        return self.change != "down" or bool(group("none")["words"].search(self.text))

    def states(self, topic: str) -> bool:
        """Whether the topic is said to be there, in this patient, now."""
        return topic in self.topics and not self.denies(topic) and not self.status[topic] & {"family", "hypothetical", "historical"}


def plausible(p: Piece) -> tuple[str, float, float] | None:
    """The first topic of a piece whose diameters are known, with the smallest and largest plausible one in mm."""
    for topic in sorted((t for t in p.topics if not t.startswith("~")), key=lambda t: p.topics[t]):
        word = p.text[p.topics[topic] :]
        name = "nodule" if topic == "lesion" and group("nodule")["words"].match(word) else topic
        calibre = table("words")["calibres"].get(name) if _CALIBRE.search(p.text) else None
        bounds = calibre or table("words")["diameters"].get(name)
        if bounds:
            return topic, float(bounds[0]), float(bounds[1])
    return None


def read_pieces(sentences: list[Sentence]) -> list[Piece]:
    """All pieces in order; a sentence without a subject ("It was 12 mm before") continues the piece before."""
    out: list[Piece] = []
    for sentence in sentences:
        found = pieces_of(sentence)
        if all(t.startswith("~") for p in found for t in p.topics) and out and _continues(sentence, out[-1]):
            joined = f"{out[-1].text}; {sentence.text}"
            whole = replace(sentence, text=joined)
            out[-1] = replace(out[-1], text=joined, sentence=whole, figures=figures_in(joined), change=change_in(joined))
        else:
            out += [_listed(p, out[-1]) if out else p for p in found]
    return out


def _listed(p: Piece, last: Piece) -> Piece:
    """A row of a list ("#2 LUL solid 3 mm") speaks of what the row before it or its head names."""
    plainly = (all(t.startswith("~") for t in p.topics) and len(p.topics) <= 1) or bool(_ROW.match(p.text) and "lesion" not in p.topics)
    placed = bool(p.lobes or p.sides) and p.sentence.section == last.sentence.section
    bare = plainly and placed and bool(p.figures.now)
    if plainly and placed and _CARRIED.match(p.text):  # "More mucus in the RUL; less in the LLL."
        topics = {t: 0 for t in last.topics if not t.startswith("~") and last.names(t)}
        return replace(p, topics={**p.topics, **topics}, status={**p.status, **{t: frozenset() for t in topics}})
    return (
        replace(p, topics={**p.topics, "lesion": 0}, status={**p.status, "lesion": frozenset()}) if bare and "lesion" in last.topics else p
    )


def _continues(sentence: Sentence, last: Piece) -> bool:
    same = sentence.section == last.sentence.section and any(not t.startswith("~") for t in last.topics)
    own = _named("side", sentence.text) or _named("lobe", sentence.text)
    return same and not own and bool(_REFERS.match(sentence.text)) and bool(SIZE.search(sentence.text) or change_in(sentence.text))


def pieces_of(sentence: Sentence) -> list[Piece]:
    """A sentence cut where it changes its subject; what has no subject of its own belongs to the piece before."""
    text = sentence.text
    # What stands in brackets belongs to what stands before them.
    opening = _LEADING.sub(lambda m: m.group()[:-1] + "_", text)
    masked = re.sub(r"[(（][^()（）]{0,60}[)）]", lambda m: "_" * len(m.group()), opening)
    cuts = [0, *(m.start() for m in _PIECE.finditer(masked)), len(text)]
    spans: list[tuple[int, int]] = []
    for a, b in itertools.pairwise(cuts):
        if not re.search(r"\w", text[a:b]):
            continue
        if spans and _joins(text, spans[-1], (a, b)):
            spans[-1] = (spans[-1][0], b)
        else:
            spans.append((a, b))
    whole = (_named("side", text), _named("lobe", text))
    return [
        p
        for p in _borrowed([_piece(text[a:b], sentence, a, whole) for a, b in spans])
        if p.topics or _normal(p.text) or ((p.lobes or p.sides) and (p.figures.now or _CARRIED.match(p.text)))
    ]


def _normal(text: str) -> bool:
    """Whether a piece without any subject calls a part normal ("Clear lungs")."""
    return any(pattern.search(text) for pattern in group("normal").values())


def _joins(text: str, last: tuple[int, int], own: tuple[int, int]) -> bool:
    """Whether a span continues the one before: one of them has no subject, and not both name a place."""
    before, here = text[last[0] : last[1]], text[own[0] : own[1]]
    if _REST.match(here):
        return False
    if here.startswith(":") and _ORGAN_HEAD.match(before):
        return True
    if _own_subject(here) and _own_subject(before):
        return False
    return not (_placed(before) and _placed(here))


def _placed(text: str) -> bool:
    return bool(_named("lobe", text) or _named("side", text))


def _borrowed(pieces: list[Piece]) -> list[Piece]:
    """A piece that only names a place speaks of what the piece before it, else behind it, speaks of ("RLL 21 mm, LUL 13 mm")."""
    out: list[Piece] = []
    for i, p in enumerate(pieces):
        source = _lender(p, out, pieces[i + 1 :])
        if (
            not any(not t.startswith("~") for t in p.topics)
            and source is not None
            and (p.sides or p.lobes)
            and not _advice(p)
            and not _other_words(p)
        ):
            denied = group("none")["words"].search(_COMMA.split(p.text.lstrip(_EDGE))[0])
            absent: frozenset[Status] = frozenset(["negated"]) if denied else frozenset()
            topics = {t: 0 for t in source.topics if not t.startswith("~")}
            status = {t: absent or (source.status[t] - {"negated"}) for t in topics}
            p = replace(p, topics={**p.topics, **topics}, status={**p.status, **status}) if topics else p
        out.append(p)
    return out


def _other_words(p: Piece) -> bool:
    """Whether a piece has words of its own for what it speaks of, and is no member of a list."""
    return not p.figures.now and any(t.startswith("~") for t in p.topics) and not _LISTED.match(p.text)


def _advice(p: Piece) -> bool:
    return bool(group("follow_up")["words"].search(p.text))


def _lender(p: Piece, before: list[Piece], behind: list[Piece]) -> Piece | None:
    """The piece whose topics a piece without any takes: the one behind it in "A and B nodules", else the one before."""
    strong, next_ = ([q for q in some if any(not t.startswith("~") for t in q.topics)] for some in (before[-1:], behind[:1]))
    if next_ and ((not strong and not p.topics) or _JOINED_AND.match(next_[0].text)):
        return next_[0]
    return strong[0] if strong else None


def _own_subject(text: str) -> bool:
    spans = known(text)
    if _JOINED_WITH.match(text):
        return bool(spans)
    return bool(spans) or (bool(_named("side", text) or _named("lobe", text)) and bool(plain(text, spans)))


def _named(name: str, text: str) -> frozenset[str]:
    """Sides or lobes of a text, without those that it only compares with or points to ("higher than the right", "shifted to the left")."""
    text = group("towards")["words"].sub(" ", text) if name == "side" else text
    return frozenset(key for key, pattern in group(name).items() if pattern.search(text))


def _piece(text: str, sentence: Sentence, at: int, whole: tuple[frozenset[str], frozenset[str]]) -> Piece:
    spans = _of_sentence(known(text), text, sentence.text)
    topics = {**{t: start for t, start, _ in spans}, **plain(text, spans)}
    ends = {t: end for t, _, end in spans}
    status: dict[str, frozenset[Status]] = {
        t: _status(sentence.text, at + place, at + ends.get(t, place + 1)) for t, place in topics.items()
    }
    sides, lobes = _named("side", text), _named("lobe", text)
    if _ELSEWHERE.search(text):  # "with nodules in other lobes" is not where the sentence is
        whole = (frozenset(), frozenset())
    return Piece(
        text=text,
        sentence=sentence,
        topics=topics,
        sides=sides,
        lobes=lobes,
        wide_sides=sides or whole[0] or frozenset({sentence.side} - {""}),
        wide_lobes=lobes or whole[1],
        figures=figures_in(text),
        counts=counts_in(text, topics),
        status=status,
        limited=frozenset(t for t, place in topics.items() if "negated" in status[t] and _limited(sentence.text, at + place, text)),
        change=change_in(text),
    )


def _of_sentence(spans: tuple[tuple[str, int, int], ...], text: str, sentence: str) -> tuple[tuple[str, int, int], ...]:
    """Topics of a piece without any place, as the sentence around it places them."""
    if text.strip() == sentence.strip() or organ_of(text) is not None or _placed(text):
        return spans
    organ = organ_of(sentence)
    return tuple((scoped(topic, organ), start, end) for topic, start, end in spans)


def _status(text: str, start: int, end: int) -> frozenset[Status]:
    """What the sentence says of a topic; a denial may stand inside its words."""
    if not _WELL.search(text[start:end]):
        # "liver unremarkable, small gallstone": what is said to be well ends there.
        text = _WELL.sub(lambda m: "，" * len(m.group()), text)
    text = group("no_denial")["words"].sub(lambda m: "~" * len(m.group()), text)
    if _SAVE.match(text[end:]):  # "nothing besides X" has X
        return frozenset()
    none_of = _NONE_OF.match(text)
    if none_of is not None and start < none_of.end("list") and not _VERB.search(none_of["list"]):
        return frozenset(["negated"])
    gone = group("change")["resolved"].search(_COMMA.split(text[end:])[0][:_BEHIND])
    past: frozenset[Status] = frozenset(["historical"]) if gone or _LONG_AGO.search(_COMMA.split(text[:start])[-1]) else frozenset()
    open_: frozenset[Status] = frozenset(["uncertain"]) if _NOT_EXCLUDED.match(text[end:]) else frozenset()
    return statuses(text, start, end) | statuses(text, max(start, end - 1), end) | past | open_


def _limited(text: str, place: int, piece: str) -> bool:
    """Whether a denial that reaches `place` has a limiting word before what it denies ("no other nodule")."""
    lead = re.split(r"[,，;；:：。]|\. ", text[:place])[-1][-40:]
    tail = re.split(r"[,，;；:：。]|\. ", text[place:])[0][:60]
    return bool(group("limiting")["words"].search(lead) or group("limiting_behind")["words"].search(tail))
