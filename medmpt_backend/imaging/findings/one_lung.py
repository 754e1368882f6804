"""What may be said of a chest with one aerated lung: nothing about what fills the other side."""

from dataclasses import replace

from medmpt_backend.imaging.findings.groups import Findings, HeartGroup, PleuraGroup, VesselGroup

BECAUSE = (
    "The {side} side of the chest holds no aerated lung: fluid, collapse, consolidation, tumour and the state after an operation "
    "are not told apart there."
)


def without_other_side(findings: Findings, side: str) -> Findings:
    """Findings of which those that look between lung and ribs are unknown, because one lung is not there.

    Args:
        findings: As measured beside the one lung.
        side: `right` or `left`, the side without a lung.

    Returns:
        The same groups; figures of the empty side are None.
    """
    because = BECAUSE.format(side=side)

    right = side == "right"

    def emptied(group: PleuraGroup) -> PleuraGroup:
        return PleuraGroup("unknown", because, None if not right else group.left_ml, None if right else group.right_ml, group.slice)

    return replace(
        findings,
        effusion=emptied(findings.effusion),
        pneumothorax=emptied(findings.pneumothorax),
        consolidation=replace(findings.consolidation, validity="unknown", because=because, pct=None),
        vessels=VesselGroup("out", because, None, None, None),
        heart=HeartGroup("out", because, None, None),
    )
