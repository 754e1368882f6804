"""Operations and their diseases: a side in one place of the report against another side of the same thing elsewhere, history included."""

from collections.abc import Iterator

from retrieval.messages.catalogue import messages
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.vocabulary import group
from tools.reports.lint.remarks import Remark, label

pair = messages("tools.report_lint").pair

# A side stands this near before what was operated on, and this near behind it.
_LEAD, _TAIL = 22, 26


def procedures(sentences: list[Sentence]) -> Iterator[Remark]:
    """One remark for each kind of operation that is told of one side here and of the other there."""
    for pattern in group("procedure").values():
        told = [(sides, s) for s in sentences for m in pattern.finditer(s.text) if (sides := _sides(s.text, m.start(), m.end()))]
        first = next(iter(told), None)
        other = next((t for t in told if first and not t[0] & first[0] and t[1].section != first[1].section), None)
        both = any(len(sides) > 1 for sides, _ in told)
        if first and other and not both and not any(sides == first[0] for sides, s in told if s.section == other[1].section):
            yield Remark(
                "side",
                *pair("An operation is told of two sides: {one} and {two}.", one=label(min(first[0])), two=label(min(other[0]))),
                (first[1].text, other[1].text),
                *pair("Check side and lobe."),
            )


def _sides(text: str, start: int, end: int) -> frozenset[str]:
    """Sides that stand in the clause around an operation: before it, else right behind it."""
    marks = ",，;；。.、("
    low = max(0, start - _LEAD, *(text.rfind(c, 0, start) + 1 for c in marks))
    high = min([end + _TAIL, len(text), *(i for c in marks if (i := text.find(c, end)) >= 0)])
    for part in (text[start:end], text[low:start], text[end:high]):
        found = frozenset(name for name, pattern in group("side").items() if pattern.search(part))
        if found:
            return frozenset(("left", "right")) if "both" in found else found
    return frozenset()
