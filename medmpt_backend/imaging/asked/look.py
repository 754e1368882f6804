"""One finding of one study, measured when it is asked for."""

from dataclasses import dataclass

from medmpt_backend.imaging.anatomy.chest_domain import absent_side
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.asked.bullae import bullae
from medmpt_backend.imaging.asked.fractures import low_bodies
from medmpt_backend.imaging.asked.groups import BullaeGroup, MetalGroup, PericardialGroup, SpineGroup
from medmpt_backend.imaging.asked.metal import metal
from medmpt_backend.imaging.asked.pericardium import pericardial
from medmpt_backend.imaging.findings.assemble import seen_contrast
from medmpt_backend.imaging.findings.great_vessels import GreatVessels, great_vessels
from medmpt_backend.imaging.findings.mediastinum import between_lungs, enhanced
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

DEFINITIONS = {
    "metal": "Voxels above 2,000 HU (2,700 HU on sharp and unknown kernels), joined to pieces and named by size, shape and place. "
    "Contrast medium in veins and what lies near it is left out.",
    "pericardium": "Tissue of -25 to 24 HU within 28 mm of the heart, thicker than about 6 mm, at least 20 ml: on scans with contrast "
    "medium, or where blood measures at least 42 HU; sections up to 5.5 mm.",
    "bullae": "Rooms below -950 HU inside a lung that hold a ball of 4.2 mm radius, four fifths of them below -970 HU, at least 10 mm wide "
    "(Hansell et al., Radiology 2008): sections up to 5.5 mm, noise up to 25 HU. Cysts, and air that the lungs' outline holds beside "
    "them, look alike.",
    "spine": "Vertebral bodies between the discs found along the canal, whose front or middle is about a fifth or more lower than that of "
    "their neighbours (grades of Genant et al., J Bone Miner Res 1993: from 20, 25 and 40 % loss): sections up to 3 mm. Candidates to look "
    "at: old and new, and what was low from birth, look alike. Ribs are not looked at.",
}


def look_for_metal(volume: Volume, lungs: Lungs) -> MetalGroup:
    """Metal in and on the body.

    Args:
        volume: Full resolution.
        lungs: Its lungs.
    """
    between = between_lungs(lungs)
    seen = enhanced(lungs, between)
    return metal(volume, lungs, True if seen_contrast(volume.series, lungs, between)[0].contrast == "yes" else seen)


def look_for_pericardial_fluid(volume: Volume, lungs: Lungs) -> PericardialGroup:
    """Fluid around the heart.

    Args:
        volume: Full resolution.
        lungs: Its lungs.
    """
    if absent_side(lungs) is not None:
        return PericardialGroup("out", message("The heart was not found between the lungs."), None)
    between = between_lungs(lungs)
    seen = enhanced(lungs, between)
    if seen is None:
        return PericardialGroup("out", message("Whether contrast medium is in the vessels is not clear."), None)
    return pericardial(volume, lungs, between, seen)


@dataclass(frozen=True, eq=False)
class Looked:
    """What is found only where it is asked for, to be said and shown.

    Attributes:
        metal: In and on the body.
        pericardium: Fluid around the heart.
        vessels: Circles of the ascending aorta and the pulmonary trunk, None where they were not found.
        bullae: Rooms of air inside the lungs.
        spine: Vertebral bodies that have lost height.
    """

    metal: MetalGroup
    pericardium: PericardialGroup
    vessels: GreatVessels | None
    bullae: BullaeGroup
    spine: SpineGroup


def look(volume: Volume, lungs: Lungs) -> Looked:
    """All of it.

    Args:
        volume: Full resolution.
        lungs: Its lungs.
    """
    seen = enhanced(lungs, between_lungs(lungs))
    vessels = None if seen is None or absent_side(lungs) is not None else great_vessels(volume, lungs, enhanced=seen)
    metal_found, fluid = look_for_metal(volume, lungs), look_for_pericardial_fluid(volume, lungs)
    return Looked(metal_found, fluid, vessels, bullae(volume, lungs), low_bodies(volume, lungs))
