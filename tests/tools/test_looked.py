"""What is looked for only where a question names it: said in both languages, shown in the viewer, and nowhere else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medmpt_backend.imaging.asked.groups import LowBody, SpineGroup
from tests.medmpt_backend.ct_files import DATA
from tools.imaging.overlays import LAYERS, overlay
from tools.imaging.results.experimental import names_looked
from tools.imaging.results.looked import airway_walls, bullae, fine_lines, fracture, metal, pericardium
from tools.imaging.studies import Study

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the public test data is absent (../shared/data)")


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(DATA / "chest_ct/Lung_Dx-A0002_B40f")


def _painted(study: Study) -> Study:
    """The study with a pacemaker's housing under the skin."""
    hu = study.volume.hu.copy()
    skin = int(np.flatnonzero(hu[6, :, 345] > -200)[0])
    hu[4:9, skin + 12 : skin + 26, 315:376] = 3071
    made = Study(Path("painted"))
    made._volume, made._lungs = replace(study.volume, hu=hu), study.lungs
    return made


def test_metal_is_said_and_drawn(study: Study) -> None:
    (en, zh), _, index = metal(study)
    assert en.startswith("No metal was found inside the body")
    assert "未发现金属" in zh
    assert index is None
    made = _painted(study)
    (en, zh), _, index = metal(made)
    assert "flat housing in the chest wall (left" in en
    assert "扁平金属盒" in zh
    assert index is not None
    assert np.any(overlay(made, "axial", index, frozenset({"other"}), {}) & LAYERS["other"])
    assert not np.any(overlay(study, "axial", index, frozenset({"other"}), {}) & LAYERS["other"])
    assert pericardium(made)[0][0].startswith("Pericardial fluid was not measured: Sections 8.0 mm apart")
    assert bullae(made)[0][0].startswith("Bullae were not looked for: Sections above 5.5 mm")
    assert "既未发现也未排除" in airway_walls(made)[0][1]
    assert "neither found nor excluded" in fine_lines(made)[0][0]


def test_low_vertebral_bodies_are_candidates_and_their_absence_is_no_negative(study: Study) -> None:
    (en, zh), _, index = fracture(study)
    assert en.startswith("Vertebral bodies were not measured: Sections above 3 mm")
    assert "Fractures of the ribs are not looked for" in en
    assert "未测量椎体" in zh
    assert index is None
    made = _painted(study)
    none = SpineGroup("unknown", None, (), 11, (17, 121), None)
    made._looked = replace(made.looked, spine=none)
    (en, zh), known, index = fracture(made)
    assert en.startswith("11 vertebral bodies (slices 17 to 121) were measured, and none was found")
    assert "does not exclude a fracture" in en
    assert "不能排除骨折" in zh
    assert [item.value for item in known] == [11]
    bodies = (LowBody("front", 0.31, 2, (21.0, 17.5, 14.2), 9, 7, 11), LowBody("unclear", 0.0, 0, (3.0, 3.0, 3.0), 14, 13, 15))
    made._looked = replace(made.looked, spine=replace(none, low=bodies, voxels=np.array([[9, 250, 256], [9, 250, 257]])))
    (en, zh), known, index = fracture(made)
    assert en.startswith("Candidates for a vertebral fracture")
    assert "about 31% lower than its neighbours (slice 9; back, middle and front 21, 18 and 14 mm high; grade 2" in en
    assert "told from its neighbour (slice 14)" in en
    assert "椎体骨折候选" in zh
    assert "低约 31%" in zh
    assert [round(item.value) for item in known] == [11, 31]
    assert index == 9
    plane = overlay(made, "axial", 9, frozenset({"other"}), {}) & LAYERS["other"]
    assert plane[250, 256]
    assert plane[250, 257]


@pytest.mark.parametrize(
    "question",
    [
        "is there a pacemaker",
        "any fracture?",
        "心包积液？",
        "有骨折吗",
        "any surgical clips",
        "any bullae?",
        "有肺大疱吗",
        "is there bronchiectasis",
        "any reticulation?",
        "is there honeycombing",
        "有网格影吗",
        "有蜂窝影吗",
    ],
)
def test_what_is_looked_for_is_named(question: str) -> None:
    assert names_looked(question)


@pytest.mark.parametrize("question", ["any effusion", "what does the CT show", "有胸腔积液吗"])
def test_nothing_is_looked_for_where_nothing_names_it(question: str) -> None:
    assert not names_looked(question)
