"""Findings painted into a thorax, each with its voxel mask, size, side and lobe.

Appearances follow the Fleischner glossary (Bankier et al., Radiology 2024, doi 10.1148/radiol.232558). One module per compartment; every
painter takes `(rng, canvas, *, ...)`, changes `canvas.hu` in place and returns what it painted.
"""

from medmpt_backend.cohort.findings.airspace import atelectasis, consolidation, crazy_paving, ground_glass
from medmpt_backend.cohort.findings.airways import (
    bronchiectasis,
    mosaic_attenuation,
    mucus_plugs,
    peribronchial_thickening,
    tree_in_bud,
)
from medmpt_backend.cohort.findings.base import PaintedFinding, Side
from medmpt_backend.cohort.findings.bones import bone_metastasis, rib_fracture
from medmpt_backend.cohort.findings.chambers import enlarged_pulmonary_artery, enlarged_right_ventricle, mark_pulmonary_artery
from medmpt_backend.cohort.findings.destruction import bullae, cysts, emphysema
from medmpt_backend.cohort.findings.interstitial import fibrosis, fibrotic_bands, nsip, septal_thickening
from medmpt_backend.cohort.findings.mediastinum import (
    adrenal_mass,
    aortic_calcification,
    coronary_calcification,
    hiatal_hernia,
    lymphadenopathy,
    medical_material,
    pericardial_effusion,
    pulmonary_embolus,
    skin_metal,
    thyroid_nodule,
)
from medmpt_backend.cohort.findings.nodules import (
    calcified_granuloma,
    cavity,
    diffuse_nodules,
    ground_glass_nodule,
    halo_nodule,
    part_solid_nodule,
    perifissural_nodule,
    solid_nodule,
)
from medmpt_backend.cohort.findings.pleura import loculated_effusion, pleural_effusion, pleural_plaques, pleural_thickening, pneumothorax

__all__ = [
    "PaintedFinding",
    "Side",
    "adrenal_mass",
    "aortic_calcification",
    "atelectasis",
    "bone_metastasis",
    "bronchiectasis",
    "bullae",
    "calcified_granuloma",
    "cavity",
    "consolidation",
    "coronary_calcification",
    "crazy_paving",
    "cysts",
    "diffuse_nodules",
    "emphysema",
    "enlarged_pulmonary_artery",
    "enlarged_right_ventricle",
    "fibrosis",
    "fibrotic_bands",
    "ground_glass",
    "ground_glass_nodule",
    "halo_nodule",
    "hiatal_hernia",
    "loculated_effusion",
    "lymphadenopathy",
    "mark_pulmonary_artery",
    "medical_material",
    "mosaic_attenuation",
    "mucus_plugs",
    "nsip",
    "part_solid_nodule",
    "peribronchial_thickening",
    "pericardial_effusion",
    "perifissural_nodule",
    "pleural_effusion",
    "pleural_plaques",
    "pleural_thickening",
    "pneumothorax",
    "pulmonary_embolus",
    "rib_fracture",
    "septal_thickening",
    "skin_metal",
    "solid_nodule",
    "thyroid_nodule",
    "tree_in_bud",
]
