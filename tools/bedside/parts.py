"""A question of several parts: each part that raises something of its own is answered beside the whole."""

import re
from dataclasses import replace

from retrieval.guidelines.parts import parts
from tools.bedside.asks import general
from tools.bedside.doses import asks_dose, dose
from tools.bedside.judging import judge
from tools.bedside.meant import meant
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import words
from tools.bedside.regimens import choose
from tools.bedside.topics import asked
from tools.bedside.verdicts import asks_whether, verdicts
from tools.evidence import Evidence

# Topics of a lower rank are too general to be raised by half a sentence.
_LEAST_RANK = 7
# Lines that a part adds, and all of an answer.
_OF_A_PART, _MOST = 2, 8
_SHORTEST, _LEAST_SAID = 5, 2
# Chance from which a topic that no word of a part raises answers it.
_LIKELY = 0.5
_DIGIT = re.compile(r"\d")


def with_parts(question: str, record: Record, found: list[Evidence]) -> list[Evidence]:
    """What was found for the whole, and what each part asks besides.

    Where every part has an answer of its own, these lead and the whole follows; else the bottom line of the whole stays first.
    """
    pieces = [p.own if p.clause else p.whole for p in parts(question) if len(p.own) >= _LEAST_SAID]
    if len(pieces) < 2:
        return found
    by_part = [_of_part(piece, record, found)[:_OF_A_PART] for piece in pieces]
    mine = list({e.key: e for lines in by_part for e in lines}.values())
    if not mine:
        return found
    whole = {_topic(e) for e in found}
    alone = all(by_part) and len({_topic(lines[0]) for lines in by_part}) == len(by_part)
    leading = [] if alone else [e for e in found if _topic(e) == _topic(found[0])] if found else []
    fresh = mine if alone else [e for e in mine if _topic(e) not in whole]
    return list({e.key: e for e in (*leading, *fresh, *found)}.values())[: max(_MOST, len(found))]


def _topic(item: Evidence) -> str:
    """The topic, medicine or formula that a sentence belongs to."""
    return item.key.rpartition("-")[0]


def _of_part(piece: str, record: Record, found: list[Evidence]) -> list[Evidence]:
    """What one part asks: its topic, its medicine, the regimen; values that the person typed anywhere in the message hold for it."""
    mine = [t for t in asked(piece) if t.rank >= _LEAST_RANK and not (t.ruled_out and t.ruled_out.search(record.question))]
    topical = (judge(t, record) for t in mine)
    lines = next((x for x in topical if x), [])
    if lines:
        return lines
    if asks_dose(piece) and (lines := dose(piece, record)):
        return lines
    named = {d.id for d in record.graph.mentions(piece)}
    told = {d.id for e in found for d in record.graph.mentions(e.text)}
    if named - told and (asks_whether(piece) or len(piece.split()) <= _SHORTEST):
        return verdicts(piece, record)
    if words("antimicrobial").search(piece) and not named:
        return choose(piece, record)
    if named or _DIGIT.search(record.question.replace(piece, "")):
        return []  # a value typed in another part would be lost
    part = replace(record, question=piece)
    return general.answers(part) or meant(part, _LIKELY)
