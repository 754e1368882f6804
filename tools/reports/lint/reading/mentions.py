"""What each sentence says of each finding: side, lobe, sizes, number, amount, change, and whether it is denied or doubted."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from retrieval.concepts.context import Status, statuses
from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.listing import VALUES
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.units import to_mm
from tools.reports.lint.reading.vocabulary import FindingWords, findings, group

_WORDS = patterns("tools.report_lint")
_MENTION_NOW = _WORDS.regex("mentions_mention_now")

_SIZE = _WORDS.regex("mentions_size")
# Between a modifier and the finding that it describes stand only plain words.
_BREAK = _WORDS.regex("mentions_break")
_REFERS = _WORDS.regex("mentions_refers")


@dataclass(frozen=True)
class Mention:
    """One finding in one sentence.

    Attributes:
        finding: Which one.
        words: As written.
        sentence: Where.
        side: `left`, `right`, `both`, None where none is said.
        lobes: `upper`, `middle`, `lower`, `lingula`.
        sizes: Diameters in mm as stated now.
        before: Diameters in mm that are said of an earlier study.
        count: Number that is said; 99 for "multiple"; None.
        amount: `small`, `moderate`, `large`, None.
        change: `stable`, `up`, `down`, `new`, `resolved`, None.
        status: What the context says: negated, uncertain, family, historical, hypothetical.
        limited: Whether a denial speaks of a part only ("no other nodule").
    """

    finding: FindingWords
    words: str
    sentence: Sentence
    side: str | None = None
    lobes: frozenset[str] = frozenset()
    sizes: tuple[float, ...] = ()
    before: tuple[float, ...] = ()
    count: int | None = None
    amount: str | None = None
    change: str | None = None
    status: frozenset[Status] = frozenset()
    limited: bool = False

    @property
    def denied(self) -> bool:
        """Whether the sentence says that it is not there."""
        return "negated" in self.status or self.change == "resolved"

    @property
    def stated(self) -> bool:
        """Whether the sentence says that it is there, now, in this patient."""
        return not self.denied and not self.status & {"family", "hypothetical"}


def mentions_of(sentences: list[Sentence]) -> list[Mention]:
    """All mentions in order; a sentence that only refers ("It measures 12 mm") speaks of the last focal finding."""
    out: list[Mention] = []
    for sentence in sentences:
        if sentence.section in ("technique", "history"):
            continue
        found = _in_sentence(sentence)
        if not found and out and _REFERS.match(sentence.text) and _SIZE.search(sentence.text):
            last = next((m for m in reversed(out) if m.finding.kind == "focal" and m.stated), None)
            if last is not None and last.sentence.section == sentence.section:
                found = [_described(replace(last, sentence=sentence, sizes=(), before=()), sentence.text, 0, len(sentence.text))]
        out += found
    return out


def _in_sentence(sentence: Sentence) -> list[Mention]:
    spans = list(_spans(sentence.text))
    out = []
    for i, (finding, start, end) in enumerate(spans):
        low = spans[i - 1][2] if i else 0
        high = spans[i + 1][1] if i + 1 < len(spans) else len(sentence.text)
        if i:
            low = _own_start(sentence.text, low, start)
        if i + 1 < len(spans):
            high = _own_start(sentence.text, end, high)
        bare = Mention(finding, sentence.text[start:end], sentence, status=statuses(sentence.text, start, end))
        out.append(_described(bare, sentence.text, low, high))
    return out


def _spans(text: str) -> Iterator[tuple[FindingWords, int, int]]:
    """Mentions by place, the longest of overlapping ones."""
    hits = [(f, m.start(), m.end()) for f in findings() for m in f.pattern.finditer(text) if m.end() > m.start()]
    kept: list[tuple[FindingWords, int, int]] = []
    for hit in sorted(hits, key=lambda h: (h[1] - h[2], h[1])):
        if all(hit[2] <= k[1] or k[2] <= hit[1] for k in kept):
            kept.append(hit)
    yield from sorted(kept, key=lambda k: k[1])


def _own_start(text: str, low: int, start: int) -> int:
    """Where the words that describe the mention at `start` begin, between it and the one before."""
    breaks = [m.end() for m in _BREAK.finditer(text, low, start)]
    return breaks[-1] if breaks else low


def _described(mention: Mention, text: str, low: int, high: int) -> Mention:
    own = text[low:high]
    tight = _own_start(text, low, low + own.find(mention.words)) if mention.words in own else low
    sizes, before = _sizes(text[tight:high])
    return replace(
        mention,
        side=mention.side or _side(own),
        lobes=mention.lobes or frozenset(name for name, pattern in group("lobe").items() if pattern.search(own)),
        sizes=sizes,
        before=before,
        count=_count(own, mention.words),
        amount=next((name for name, pattern in group("amount").items() if pattern.search(own)), None),
        change=change_in(own) or mention.change,
        limited=bool(group("limiting")["words"].search(own)),
    )


def _side(own: str) -> str | None:
    sides = group("side")
    left, right = bool(sides["left"].search(own)), bool(sides["right"].search(own))
    if sides["both"].search(own):
        return "both"
    if left and right:
        return None
    return "left" if left else "right" if right else None


def change_in(own: str) -> str | None:
    """How the finding changed; "no increase" is stable."""
    hits = sorted((m.start(), -len(m.group()), name) for name, pattern in group("change").items() for m in pattern.finditer(own))
    if any(name == "stable" for _, _, name in hits):
        return "stable"
    return hits[0][2] if hits else None


def _sizes(own: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Diameters in mm, now and before."""
    now: list[float] = []
    before: list[float] = []
    for match in _SIZE.finditer(own):
        values = [float(v) for v in (match[1], match[2], match[3], match[5]) if v]
        factor = to_mm(match[4] or match[6])
        lead = own[max(0, match.start() - 28) : match.start()]
        earlier = list(group("prior")["words"].finditer(lead))
        past = bool(earlier) and not _MENTION_NOW.search(lead[earlier[-1].end() :])
        (before if past else now).extend(v * factor for v in values)
    return tuple(now), tuple(before)


def _count(own: str, words: str) -> int | None:
    counts = group("count")
    hits = [(m.start(), VALUES[name]) for name, pattern in counts.items() for m in pattern.finditer(own)]
    if hits:
        return max(n for _, n in hits) if any(n == 99 for _, n in hits) else min(hits)[1]
    return None
