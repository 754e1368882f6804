"""Hints on request, each telling more than the one before; what they cost is kept with the reading."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from retrieval.messages.catalogue import messages
from tools.teaching.commit import Entry, TrueFinding

pair = messages("tools.teaching").pair

# Hints for one finding: how many remain, where to look, on which slices.
STEPS = 3
_NEAR = 3
_SIDES = {
    "left": pair("on the left"),
    "right": pair("on the right"),
    "": pair("on both sides or in the middle"),
}


class Hint(BaseModel):
    """One hint: its step (1 to 3) and its words; `slices` from step 3 on."""

    model_config = ConfigDict(frozen=True)

    step: int
    text: str
    text_zh: str
    slices: tuple[int, int] | None = None


def next_hint(truth: Sequence[TrueFinding], entries: Sequence[Entry], given: int) -> Hint:
    """The hint after `given` others.

    Args:
        truth: What is there.
        entries: What the trainee recorded so far.
        given: Hints given before for this reading.
    """
    named = {e.finding for e in entries}
    open_ = [t for t in truth if t.finding not in named]
    if not open_:
        text, text_zh = pair("Everything that is there has an entry; check sides, sizes and whether all of it is real.")
        return Hint(step=1, text=text,
                    text_zh=text_zh)  # fmt: skip
    if given == 0:
        count = len(open_)
        text, text_zh = pair("{count} {value} not recorded yet.", count=count, value="finding is" if count == 1 else "findings are")
        return Hint(
            step=1,
            text=text,
            text_zh=text_zh,
        )
    target = open_[((given - 1) // (STEPS - 1)) % len(open_)]
    if (given - 1) % (STEPS - 1) == 0:
        side, side_zh = _SIDES.get(target.side or "", _SIDES[""])
        within, within_zh = pair("in the lungs") if target.lobes else pair("outside the lungs")
        text, text_zh = pair("Look again {side}, {within}.", side=(side, side_zh), within=(within, within_zh))
        return Hint(step=2, text=text, text_zh=text_zh)
    at = target.slice or 0
    span = (max(0, at - _NEAR), at + _NEAR)
    text, text_zh = pair("Look at slices {first} to {last}.", first=span[0], last=span[1])
    return Hint(step=3, text=text, text_zh=text_zh, slices=span)
