"""Errors planted in the machine's read at a stated rate, so that trusting it blindly does not pay; told after the decision."""

import hashlib
from collections.abc import Iterable
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from medmpt_backend.findings import MIDLINE
from tools.evidence import Side
from tools.teaching.commit import MachineFinding, MachineRead, TrueFinding

# One study in four carries one planted error; the page says so before the first reading.
RATE = 0.25
_OTHER: dict[Side | None, Side] = {"left": "right", "right": "left"}


class Planted(BaseModel):
    """The error that was planted: a call taken away, one added, or one moved to the other side."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["removed", "added", "moved"]
    finding: str


def with_planted_error(
    machine: MachineRead, truth: Iterable[TrueFinding], key: str, rate: float = RATE
) -> tuple[MachineRead, Planted | None]:
    """The machine's read with at most one error.

    Args:
        machine: What the model says.
        truth: What is there; only calls that are right are spoilt, only findings that are absent are added.
        key: Names this attempt; the same key plants the same error.
        rate: Share of attempts that carry one.

    Returns:
        The read to show, and the error; None where none was planted (a model that abstains is never spoilt).
    """
    rng = np.random.default_rng(list(hashlib.sha256(key.encode()).digest()))
    if machine.abstained or rng.random() >= rate:
        return machine, None
    there = {t.finding: t for t in truth}
    right = [c for c in machine.called if c.finding in there]
    choices: list[Planted] = [Planted(kind="removed", finding=c.finding) for c in right]
    choices += [Planted(kind="moved", finding=c.finding) for c in right if c.side in _OTHER]
    choices += [Planted(kind="added", finding=name) for name in machine.denied if name not in there]
    if not choices:
        return machine, None
    chosen = choices[int(rng.integers(len(choices)))]
    return _spoilt(machine, chosen, rng), chosen


def _spoilt(machine: MachineRead, planted: Planted, rng: np.random.Generator) -> MachineRead:
    if planted.kind == "removed":
        called = tuple(c for c in machine.called if c.finding != planted.finding)
        return machine.model_copy(update={"called": called, "denied": (*machine.denied, planted.finding)})
    if planted.kind == "moved":
        moved = tuple(c.model_copy(update={"side": _OTHER[c.side]}) if c.finding == planted.finding else c for c in machine.called)
        return machine.model_copy(update={"called": moved})
    side: Side | None = None if planted.finding in MIDLINE else ("left", "right")[int(rng.integers(2))]
    extra = MachineFinding(finding=planted.finding, side=side, score=round(0.6 + 0.35 * float(rng.random()), 2), threshold=0.5)
    denied = tuple(d for d in machine.denied if d != planted.finding)
    return machine.model_copy(update={"called": (*machine.called, extra), "denied": denied})
