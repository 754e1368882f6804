"""Laboratory values as a table: which analyte is low, normal or high, in a record and in a claim, however it is worded."""

import re
from functools import lru_cache

from agent.reading.lexicon import Mention, mentions, terms
from agent.verify.states import states, without_states
from retrieval.messages.patterns import patterns

_WORDS = patterns("agent.typed")
_STATES = {"high": _WORDS.regex("panel_high"), "low": _WORDS.regex("panel_low"), "normal": _WORDS.regex("panel_normal")}
_DENIED = _WORDS.regex("panel_denied")
_NOT = _WORDS.regex("panel_not")
_INTERVAL = _WORDS.regex("panel_interval")
_LIMIT = _WORDS.regex("panel_limit")
_SENTENCE = _WORDS.regex("panel_sentence")
_CONTRAST = _WORDS.regex("panel_contrast")
_LOW_TERM, _HIGH_TERM = _WORDS.regex("panel_low_term"), _WORDS.regex("panel_high_term")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
_ALL = frozenset({"low", "normal", "high"})
State = frozenset[str]


def _of_term(mention: Mention) -> State:
    """The state that a term is itself (hyperkalaemia)."""
    if not mention.term.about:
        return frozenset()
    if _LOW_TERM.search(mention.term.id):
        return frozenset({"low"})
    return frozenset({"high"}) if _HIGH_TERM.search(mention.term.id) else frozenset()


def _worded(text: str) -> State:
    """The states that a stretch of text leaves open; empty where it names none."""
    left = _ALL
    found = False
    taken: list[tuple[int, int]] = []
    for name in ("normal", "high", "low"):
        for match in _STATES[name].finditer(text):
            if any(s < match.end() and match.start() < e for s, e in taken):
                continue
            taken.append(match.span())
            found = True
            denied = bool(_DENIED.search(text[: match.start()]))
            left &= _ALL - {name} if denied else frozenset({name})
    return left if found else frozenset()


def _by_interval(text: str) -> State:
    """The state that value and interval give."""
    value = _NUMBER.search(text)
    if value is None:
        return frozenset()
    if match := _INTERVAL.search(text, value.end()):
        low, high = float(match["low"]), float(match["high"])
        number = float(value.group(0))
        return frozenset({"low" if number < low else "high" if number > high else "normal"})
    if match := _LIMIT.search(text, value.end()):
        return frozenset({"high"}) if float(value.group(0)) > float(match["high"]) else frozenset({"low", "normal"})
    return frozenset()


@lru_cache(maxsize=8192)
def table(text: str) -> dict[str, State]:
    """Analytes of a text with the states that it leaves open for each."""
    out: dict[str, State] = {}
    for sentence in _SENTENCE.split(text):
        for part in _CONTRAST.split(sentence):
            for name, state in _rows(part):
                out[name] = out.get(name, _ALL) & state
    return {name: state for name, state in out.items() if state}


def _rows(part: str) -> list[tuple[str, State]]:
    """Analytes of one part; a state word belongs to those named before it since the last one, else to those after it."""
    found = [m for m in mentions(part) if m.term.kind == "analyte"]
    rows: list[tuple[str, State]] = []
    waiting: list[str] = []
    for i, mention in enumerate(found):
        before = part[found[i - 1].end if i else 0 : mention.start]
        behind = part[mention.end : found[i + 1].start if i + 1 < len(found) else len(part)]
        own = _of_term(mention)
        if own:
            denied = bool(_DENIED.search(part[: mention.start]))
            rows.append((mention.term.measured, _ALL - own if denied else own))
            continue
        waiting.append(mention.term.measured)
        state = _worded(behind) or _by_interval(behind) or (_worded(before) if i == 0 else frozenset())
        if state:
            rows += [(name, state) for name in waiting]
            waiting = []
    if not found:
        denied = bool(_NOT.search(part))
        rows = [(name, _ALL - {d} if denied else frozenset({d})) for name, d in states(part) if name in terms()]
    if waiting and len(found) == len(waiting) and (state := _worded(part[: found[0].start])):
        rows += [(name, state) for name in waiting]
    return rows


def differing(claim: str, texts: list[str]) -> str | None:
    """The first analyte that a claim gives another state than its records do."""
    held = [table(t) for t in texts]
    for name, state in table(claim).items():
        there = [h[name] for h in held if name in h]
        if there and not any(state & t for t in there):
            return f"the record says {' or '.join(sorted(there[0]))} of {name.replace('_', ' ')}"
    return None


def agreeing(claim: str, texts: list[str]) -> bool:
    """Whether every analyte of a claim has a state there and in its records, and the records' is the claim's."""
    mine = table(claim)
    named = {m.term.measured for m in mentions(claim) if m.term.kind == "analyte"}
    held = [table(t) for t in texts]
    return bool(mine) and named <= set(mine) and all(any(name in h and h[name] <= state for h in held) for name, state in mine.items())


def stated(text: str) -> str:
    """The text without its words of state: what is left must stand in the record."""
    for pattern in _STATES.values():
        text = pattern.sub(" ", text)
    return _NOT.sub(" ", without_states(text))
