"""What one place denies and another states."""

import itertools
import re
from collections.abc import Iterator
from functools import cache

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.compare import bones_of, meet
from tools.reports.lint.reading.subjects import is_body, is_loose, is_place
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.vocabulary import group, table, union
from tools.reports.lint.remarks import Remark, label

pair = messages("tools.report_lint").pair

_WORDS = patterns("tools.report_lint")

_ENLARGED = _WORDS.regex("presence_enlarged")
_SMALL = _WORDS.regex("presence_not_enlarged")
# "Pulmonary nodule" is the word nodule.
_OF_LUNG = _WORDS.regex("presence_of_lung")
_NODE_MM = 10.0
_WHERE = _WORDS.regex("presence_where")
_INSIDE = _WORDS.regex("presence_inside")
_INSIDE_BEFORE = _WORDS.regex("presence_inside_before")
_LEVELS = frozenset(("central", "lobar", "segmental", "subsegmental"))
_HAN_WIDE = re.compile(r"[^\u4e00-\u9fff]")
_SAVING = _WORDS.regex("presence_saving")
_ACUTE = _WORDS.regex("presence_acute")
_OLD_CLOT = _WORDS.regex("presence_old_clot")
_BEHIND = _WORDS.regex("presence_behind")
_FLUID = _WORDS.regex("presence_fluid")
_HILUM = _WORDS.regex("presence_hilum")
_DOWN_TO = _WORDS.regex("presence_down_to")
_SEPTIC = _WORDS.regex("presence_septic")
_OTHER_GAS = _WORDS.regex("presence_other_gas")
_CHAMBER = _WORDS.regex("presence_chamber")
_COMMA = re.compile(r"[,，;；。：]|:\s|\.\s")
# "No infiltrative lesion" denies no lesion of another kind.
# "CXR: ?left hilar mass" asks.
_ASKED_ABOUT = _WORDS.regex("presence_asked_about")
_QUALIFIED = _WORDS.regex("presence_qualified")


def contradicted(pieces: list[Piece]) -> list[Remark]:
    """Every pair of a denial and a statement of the same thing in the same place."""
    out: dict[tuple[str, str], Remark] = {}
    plain = [p for p in pieces if not group("double")["words"].search(p.sentence.text)]
    for denial, topic, own in (*_denials(plain), *_normals(plain)):
        for stated in plain:
            if (
                _asserts(stated, topic, own, denial)
                and meet(denial, stated)
                and meet(stated, denial)
                and not _settled(stated, topic, denial, plain)
            ):
                out.setdefault((denial.sentence.text, stated.sentence.text), _remark(topic, denial, stated))
                break
    return list(out.values())


def _denials(pieces: list[Piece]) -> Iterator[tuple[Piece, str, str | None]]:
    """Topics denied as a whole, with the word where only the same word contradicts it."""
    for p in pieces:
        for topic, place in p.topics.items():
            if group("before")["words"].search(p.text):
                continue
            # "No enlarged nodes" tells of their size, not that they grew.
            changed = p.change is not None and not (topic == "node" and p.change == "up" and _ENLARGED.search(p.text))
            limited = topic in p.limited and not _only_acute(p, topic)
            if is_place(topic) or is_body(topic) or limited or changed or not p.denies(topic):
                continue
            if not {"uncertain", "historical", "family", "hypothetical"} & p.status[topic]:
                if _BEHIND.match(_rest(p, place)):  # "no consolidation with cavitation"
                    continue
                if group("around")["words"].search(p.text[:place]) or (topic == "lesion" and _inside(p.text, place)):
                    continue
                if (topic == "lesion" and _QUALIFIED.search(p.text[:place])) or group("qualifying")["words"].search(p.text[:place][-24:]):
                    continue
                yield p, topic, _word(p.text[place:]) if is_loose(topic) else None


def _rest(p: Piece, place: int) -> str:
    """The words of the sentence from a place in its piece on."""
    return p.sentence.text[max(p.sentence.text.find(p.text), 0) + place :]


def _only_acute(p: Piece, topic: str) -> bool:
    """Whether a clot or a fracture is denied by no narrower word than "acute"."""
    lead = p.text[: p.topics[topic]]
    return topic in ("embolus", "fracture") and bool(_ACUTE.search(lead)) and not group("limiting")["words"].search(_ACUTE.sub(" ", lead))


def _inside(text: str, place: int) -> bool:
    """Whether a denial is only of the inside of something told before ("no nodule within it")."""
    return bool(_INSIDE.search(text[place:]) or _INSIDE_BEFORE.search(text[:place]))


def _normals(pieces: list[Piece]) -> Iterator[tuple[Piece, str, str | None]]:
    """Parts called normal, and what this denies."""
    denies = table("words")["denies"]
    for p in pieces:
        for name, pattern in group("normal").items():
            if pattern.search(p.text) and not group("except")["words"].search(p.sentence.text):
                yield from ((p, topic, None) for topic in denies[name])


def _word(text: str) -> str:
    m = re.match(r"[A-Za-z]{1,5}|[\u4e00-\u9fff]{1,2}", _OF_LUNG.sub("", text))
    return m.group().lower() if m else ""


def _asserts(p: Piece, topic: str, word: str | None, denial: Piece) -> bool:
    if p.sentence == denial.sentence or not p.states(topic) or "uncertain" in p.status[topic] or topic in p.limited:
        return False
    if is_loose(topic) and group("referred")["words"].search(p.text[: p.topics[topic]]):
        return False
    if word is not None and _word(p.text[p.topics[topic] :]) != word:
        return False
    if len(denial.sides) == 1 and "both" not in denial.sides and not p.wide_sides:
        return False
    if _ASKED_ABOUT.search(p.text[: p.topics[topic]]):
        return False
    named = (p.sides or p.wide_sides) - {"both"}
    if named and denial.sides and not (named | {"both"}) & denial.sides:
        return False
    if group("past")["words"].search(p.text) or group("dismissed")["words"].search(p.sentence.text):
        return False
    if topic == "fracture" and (bones := bones_of(denial)) and (own := bones_of(p)) and not bones & own:
        return False
    if _another(denial, p, topic) or _spares(denial, p, topic):
        return False
    if topic in denial.topics and " " not in topic and _elsewhere(denial, p, topic):
        return False
    if topic == "node" and (where := _regions(denial)) and not where & _regions(p):
        return False
    if topic == "node":
        return bool(_ENLARGED.search(_SMALL.sub(" ", p.text))) or max(p.figures.now, default=0.0) > _NODE_MM
    return not (topic in ("lesion", "collapse", "airspace") and union(table("words")["trivial"]["words"]).search(p.text))


def _spares(denial: Piece, stated: Piece, topic: str) -> bool:
    """Whether a statement leaves a place out, or an embolus is old, or one is of the heart and the other is not."""
    if denial.lobes and _SAVING.search(stated.sentence.text):
        return True
    own = stated.lobes or stated.wide_lobes
    if "lingula" in own and denial.lobes and not denial.lobes & own:
        return True
    if topic == "effusion":
        return bool(_FLUID.search(denial.text)) > bool(_FLUID.search(stated.text))
    if topic == "lesion":
        return bool(_HILUM.search(_clause(denial, topic))) and bool(own) and not _HILUM.search(stated.text)
    if denial.lobes and not own and group("referred")["words"].search(stated.text[: stated.topics.get(topic, 0)]):
        return True
    if topic == "fracture":  # one that is not called acute may be old
        return topic in denial.limited and not _ACUTE.search(stated.text)
    if topic == "pneumothorax":
        return bool(_OTHER_GAS.search(_clause(stated, topic)))
    if topic != "embolus":
        return False
    ours, theirs = _named("vessel", denial.text), _named("vessel", stated.text)
    if _DOWN_TO.search(denial.text):  # "to segmental level" denies the wider ones too
        ours |= _LEVELS - {"subsegmental"}
    if (ours and theirs and not ours & theirs) or bool(_SEPTIC.search(stated.text)) > bool(_SEPTIC.search(denial.text)):
        return True
    old = topic in denial.limited and bool(_OLD_CLOT.search(stated.sentence.text))
    return old or bool(_CHAMBER.search(denial.text)) != bool(_CHAMBER.search(stated.text))


def _another(denial: Piece, stated: Piece, topic: str) -> bool:
    """Whether a denial is of a kind or a site of lesion that is not the one stated."""
    if topic not in denial.topics or (not is_loose(topic) and topic not in ("cavity", "ground_glass", "bone_lesion")):
        return False
    kinds, own = (_named("type", _clause(p, topic)) for p in (denial, stated))
    if topic == "cavity":  # "no cavity or calcification" denies two things
        kinds -= {"cavitary", "calcified"}
    if topic == "bone_lesion":
        return bool(kinds and own and not kinds & own)
    sites, place = (_named("site", _clause(p, topic)) for p in (denial, stated))
    return bool(kinds and not kinds <= own) or bool(sites and place and not sites & place)


def _elsewhere(denial: Piece, stated: Piece, topic: str) -> bool:
    """Whether a denial is only of a place ("at the stump") that the statement does not name."""
    clause = _clause(denial, topic)
    m = _WHERE.search(denial.text[denial.topics[topic] :].split(",")[0])
    if m is not None:
        words = [w.lower() for w in re.findall(r"[A-Za-z]{3,}", m["place"]) if not _wide().fullmatch(w)]
        return bool(words) and not any(w.rstrip("s")[:6] in stated.sentence.text.lower() for w in words)
    denied = group("none")["words"].search(clause)
    place = _HAN_WIDE.sub("", _wide_han().sub("", clause[: denied.start()])) if denied else ""
    return len(place) > 1 and not any(a + b in stated.sentence.text for a, b in itertools.pairwise(place))


@cache
def _wide() -> re.Pattern[str]:
    return re.compile("|".join(w for w in table("words")["wide"]["words"] if w[0].isascii() and w[0] != "["), re.IGNORECASE)


@cache
def _wide_han() -> re.Pattern[str]:
    return re.compile("|".join(w for w in table("words")["wide"]["words"] if not w[0].isascii() or w[0] == "["))


def _named(name: str, text: str) -> set[str]:
    return {key for key, pattern in group(name).items() if pattern.search(text)}


def _clause(p: Piece, topic: str) -> str:
    """The words between the commas around a topic."""
    place = p.topics[topic]
    marks = [0, *(m.end() for m in _COMMA.finditer(p.text)), len(p.text)]
    low = max(i for i in marks if i <= place)
    return p.text[low : min(i for i in marks if i > place or i == len(p.text))]


def _regions(p: Piece) -> set[str]:
    return {name for name, pattern in group("region").items() if pattern.search(p.sentence.text)}


def _settled(stated: Piece, topic: str, denial: Piece, pieces: list[Piece]) -> bool:
    """Whether the denial's own section also states it in that place: then the denial is of another place."""
    one = len(denial.sides) == 1 and "both" not in denial.sides
    if denial.sentence.section == stated.sentence.section or (len(denial.sides) == 1 and (stated.lobes or not denial.lobes)):
        return False
    return any(
        p.sentence.section == denial.sentence.section
        and p.states(topic)
        and meet(stated, p)
        and not p.limited
        and p is not stated
        and (not one or denial.sides & p.wide_sides or "both" in p.wide_sides)
        for p in pieces
    )


def _remark(topic: str, denial: Piece, stated: Piece) -> Remark:
    return Remark(
        "presence",
        *pair("One sentence denies what another states: {what}.", what=label(topic)),
        (denial.sentence.text, stated.sentence.text),
        *pair("Look at the images and keep one of the two sentences."),
    )
