"""The machine's own read of a teaching case, in the trainee's vocabulary."""

from pathlib import Path
from typing import TYPE_CHECKING

from medmpt_backend.errors import BackendError
from medmpt_backend.findings import MIDLINE
from tools.imaging.model_card import NO_WEIGHTS, card_line, card_of, reason_of
from tools.imaging.studies import STUDIES
from tools.teaching.commit import CHOICES, MachineFinding, MachineRead
from tools.wording import in_language

if TYPE_CHECKING:
    from medmpt_backend.inference.engine import MedMPTEngine


def machine_read(engine: "MedMPTEngine | None", study: Path) -> MachineRead:
    """What the model says of the study, in the trainee's vocabulary; or why it abstains."""
    if engine is None:
        return MachineRead(abstained=NO_WEIGHTS, abstained_zh=NO_WEIGHTS.zh)
    try:
        found = engine.classify(STUDIES.open(study).volume, key_slices=0)
    except BackendError as error:
        return MachineRead(abstained=str(error), abstained_zh=in_language(str(error), "zh"))
    card = card_of(found.validity)
    basis = {"basis": card_line(card, "en"), "basis_zh": card_line(card, "zh")}
    if found.validity.domain == "out":
        return MachineRead(abstained=reason_of(found.validity, "en"), abstained_zh=reason_of(found.validity, "zh"), **basis)
    known = [f for f in found.findings if f.id in CHOICES]
    called = tuple(
        MachineFinding.model_validate(
            {"finding": f.id, "side": None if f.id in MIDLINE else f.side, "score": f.probability, "threshold": f.threshold}
        )
        for f in known
        if f.present
    )
    denied = tuple(f.id for f in known if f.present is False and found.validity.domain == "in")
    return MachineRead(called=called, denied=denied, **basis)
