"""The compact model as the virtual cohort trains it: its laboratory panel, drug vocabulary, heads and token ids."""

from medmpt_backend.cohort.patients.drugs import VOCABULARY
from medmpt_backend.cohort.patients.panel import PANEL
from medmpt_backend.cohort.truth import MASK_LABELS
from medmpt_backend.model.config import HeadConfig, LabTest, MedMPTConfig

# Painted but not asked of the model: too rare in the cohort, or told from others by size and density alone.
NOT_ASKED = (
    "loculated_effusion",
    "rib_fracture",
    "bone_metastasis",
    "thyroid_nodule",
    "adrenal_mass",
    "air_trapping",
)
# Small and dense or small and round: a branch of their own scores their cells.
SPOTS = (
    "coronary_calcification",
    "arterial_wall_calcification",
    "solid_nodule",
    "part_solid_nodule",
    "ground_glass_nodule",
    "perifissural_nodule",
    "calcified_granuloma",
)
# Relations of the drug graph, as `medmpt drugs edges` writes them.
RELATIONS = ("interaction", "same_condition")
EXTENT = ("none", "below 25 %", "25 to 50 %", "above 50 %")


def cohort_config() -> MedMPTConfig:
    """`MedMPTConfig.compact()` with everything that the cohort knows."""
    heads = {
        "findings": HeadConfig(
            kind="multilabel", labels=tuple(label for label in MASK_LABELS if label not in NOT_ASKED), patches=True, spots=SPOTS
        ),
        "screening": HeadConfig(kind="multiclass", labels=("no lung cancer", "lung cancer")),
        "covid": HeadConfig(kind="multiclass", labels=("other pneumonia", "COVID-19")),
        "extent": HeadConfig(kind="multiclass", labels=EXTENT),
    }
    compact = MedMPTConfig.compact(heads)
    panel = tuple(LabTest(analyte=t.id, unit=t.unit, low=t.low, high=t.high) for t in PANEL)
    assert compact.text is not None
    assert compact.labs is not None
    assert compact.medication is not None
    return MedMPTConfig.model_validate(
        {
            **compact.model_dump(),
            "dropout": 0.0,  # each study is seen a few times only
            "text": compact.text.model_copy(update={"pad": 0, "unk": 1, "cls": 2, "sep": 3, "max_length": 96}).model_dump(),
            "labs": compact.labs.model_copy(update={"tests": len(panel), "panel": panel}).model_dump(),
            "medication": compact.medication.model_copy(update={"drugs": VOCABULARY, "relations": RELATIONS}).model_dump(),
        }
    )
