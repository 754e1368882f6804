"""Hints on request, each telling more than the one before; what they cost is kept with the reading."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from tools.teaching.commit import Entry, TrueFinding

# Hints for one finding: how many remain, where to look, on which slices.
STEPS = 3
_NEAR = 3
_SIDES = {
    "left": ("on the left", "左侧"),
    "right": ("on the right", "右侧"),
    "": ("on both sides or in the middle", "双侧或中线"),
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
        return Hint(step=1, text="Everything that is there has an entry; check sides, sizes and whether all of it is real.",
                    text_zh="已有的征象都已记录；请再核对侧别、大小，并确认每一项是否真实存在。")  # fmt: skip
    if given == 0:
        count = len(open_)
        return Hint(
            step=1,
            text=f"{count} {'finding is' if count == 1 else 'findings are'} not recorded yet.",
            text_zh=f"还有 {count} 项征象未记录。",
        )
    target = open_[((given - 1) // (STEPS - 1)) % len(open_)]
    if (given - 1) % (STEPS - 1) == 0:
        side, side_zh = _SIDES.get(target.side or "", _SIDES[""])
        within, within_zh = ("in the lungs", "肺内") if target.lobes else ("outside the lungs", "肺外")
        return Hint(step=2, text=f"Look again {side}, {within}.", text_zh=f"请再看{side_zh}{within_zh}。")
    at = target.slice or 0
    span = (max(0, at - _NEAR), at + _NEAR)
    return Hint(step=3, text=f"Look at slices {span[0]} to {span[1]}.", text_zh=f"请看第 {span[0]} 至 {span[1]} 层。", slices=span)
