"""What is looked for only where a question names it: said in both languages, shown in the viewer, and nowhere else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.medmpt_backend.ct_files import DATA
from tools.imaging.overlays import LAYERS, overlay
from tools.imaging.results.experimental import names_looked
from tools.imaging.results.looked import airway_walls, bullae, fine_lines, metal, pericardium
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
