"""Denial: whether a clause denies its statement, and what a sentence says is absent; compared between a claim and its evidence."""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from agent.verify.text import tokens
from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")

_DATA = tomllib.loads(files("agent").joinpath("data/wording.toml").read_text(encoding="utf-8"))["denial"]


def _any(words: list[str], english: bool) -> str:
    joined = "|".join(words)
    return rf"\b(?:{joined})\b" if english else f"(?:{joined})"


_PRETEND = re.compile("|".join(_DATA["pretend"]), re.IGNORECASE)
_WITHOUT = re.compile(f"{_any(_DATA['without_english'], True)}|{_any(_DATA['without_chinese'], False)}", re.IGNORECASE)
_NOT = re.compile(f"{_any(_DATA['not_english'], True)}|{_any(_DATA['not_chinese'], False)}", re.IGNORECASE)
# "those who need no oxygen": the denial describes whom, not what is said of them.
_DESCRIBES = _TEXT.regex("polarity_describes", flags=0)
_WHO = re.compile(r"\b(?:who|that|which|with|if|when)\b[^,;.]{0,25}$", re.IGNORECASE)
_NEEDED = re.compile(
    r"\b(?:is|are|was|were)\s+(?:\w+\s+)?(?:needed|required|necessary|indicated|recommended|suggested|used|given|advised)\b", re.IGNORECASE
)
_STOP = _TEXT.regex("polarity_stop", flags=0)
# A chunk that holds this share of what the whole run holds speaks for itself.
_MOST = 0.7
_SOFT = re.compile("|".join((_any(_DATA["soft_english"], True), _any(_DATA["soft_chinese"], False))), re.IGNORECASE)
# "without it": what is absent was named before.
_REFERS = _TEXT.regex("polarity_refers")
_LIST = re.compile(r"none of (?:these|the following)?$", re.IGNORECASE)
_REST_OF_LIST = re.compile(r"(?:,\s(?:[\w-]+\s?){1,4})*,?\s(?:or|nor)\s(?:[\w-]+\s?){1,4}", re.IGNORECASE)


@dataclass(frozen=True)
class Denial:
    """What a piece denies.

    Attributes:
        statement: Whether its statement is denied or forbidden.
        absent: Content that it says is absent (`without risk factors`, `no intervention`).
    """

    statement: bool
    absent: frozenset[str]


@lru_cache(maxsize=8192)
def denial(piece: str) -> Denial:
    """Denial of one piece of text."""
    plain = _PRETEND.sub(lambda m: " " * len(m.group(0)), piece)
    absent: set[str] = set()
    statement = 0
    stated = plain
    for match in _WITHOUT.finditer(plain):
        gone = _following(plain, match.end())
        absent |= gone
        stated = _cut(stated, match.start(), gone)
        # "no X is needed" denies the statement as "X is not needed" does.
        if _NEEDED.search(plain[match.end() : match.end() + 60]) and re.match(r"no\b", match.group(0), re.IGNORECASE):
            statement += 1
    for match in _NOT.finditer(plain):
        if _overlaps(match, plain):
            continue
        if _DESCRIBES.match(plain[match.end() :]) or _WHO.search(plain[: match.start()]):
            gone = _following(plain, match.end())
            absent |= gone
            stated = _cut(stated, match.start(), gone)
        else:
            statement += 1
    # "no or mild symptoms": what is stated too is not absent.
    return Denial(statement % 2 == 1, frozenset(absent) - tokens(stated))


def cues(text: str) -> int:
    """How many words of denial a text has."""
    return len(_NOT.findall(text)) + len(_WITHOUT.findall(text))


def _cut(text: str, start: int, gone: frozenset[str]) -> str:
    """The text without the words that a cue at `start` says are absent."""
    end = start
    seen: frozenset[str] = frozenset()
    while end < len(text) and not gone <= seen:
        end += 1
        seen = tokens(text[start:end])
    return text[:start] + " " * (end - start) + text[end:]


def _overlaps(match: re.Match[str], plain: str) -> bool:
    return any(m.start() <= match.start() < m.end() for m in _WITHOUT.finditer(plain))


def _following(plain: str, start: int) -> frozenset[str]:
    if _LIST.search(plain[max(0, start - 24) : start]):
        return tokens(plain[start:])
    end = _STOP.search(plain, start + 1)
    if end and end.group(0) == ",":
        # "no A, B or C" is one list.
        more = _REST_OF_LIST.match(plain, end.start())
        return tokens(plain[start : more.end()] if more else plain[start : end.start()])
    return tokens(plain[start : end.start() if end else len(plain)])


def turned(claim: str, run: str, sentence: str) -> str | None:
    """How the claim's denial differs from that of the evidence it stands in; None when one of its closest chunks agrees."""
    mine = tokens(claim)
    chunks = [c for c in run.split(" , ") if c.strip()]
    all_of_it = len(mine & tokens(run))
    close = [c for c in chunks if len(mine & tokens(c)) >= _MOST * all_of_it > 0] if len(chunks) > 1 else []
    reasons = [_turned(claim, piece, sentence) for piece in (run, *close)]
    return reasons[0] if all(reasons) else None


def soft(text: str) -> frozenset[str]:
    """Words of a text that deny in their own way, without its plain denials."""
    return frozenset(m.group(0).lower()[:5] for m in _SOFT.finditer(_NOT.sub(" ", text)))


def _turned(claim: str, run: str, sentence: str) -> str | None:
    mine, theirs, around = denial(claim), denial(run), denial(sentence)
    stated, stated_there = tokens(_NOT.sub(" ", claim)), tokens(run)
    gone = theirs.absent | (around.absent if mine.absent else frozenset())
    if mine.statement != theirs.statement and soft(run if mine.statement else claim) - soft(claim if mine.statement else run):
        return None  # the other side denies in words of its own ("fails", "instead of", "stop")
    if mine.statement != theirs.statement:
        meant = (stated & gone) - mine.absent
        # "X is not needed" and "no X": the same denial in two places.
        if mine.statement and len(meant) >= 1 and not theirs.statement:
            return None
        if theirs.statement and (mine.absent - theirs.absent) & stated_there:
            return None
        return "denies what the evidence states" if mine.statement else "states what the evidence denies"
    if mine.absent and not theirs.statement and not around.statement and not _REFERS.search(sentence):
        wrong = {t for t in mine.absent & tokens(sentence) if t not in around.absent}
        if len(wrong) > len(mine.absent & around.absent):
            return "says is absent what the evidence has"
    if theirs.absent and not mine.statement:
        kept = stated & theirs.absent
        named = any(t.startswith("@") for t in kept)
        if kept and not mine.absent & theirs.absent and (named or len(kept) >= 0.5 * len(theirs.absent)):
            return "has what the evidence says is absent"
    return None
