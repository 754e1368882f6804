"""Typed readers: a table of laboratory values, items and scales of a score, effects, choices, joints, places, siblings, turned words."""

import pytest

from agent.training.slots import kinds, slotted
from agent.verify import check
from agent.verify.numbers import numbers_of
from agent.verify.opinion.turned import turned_word
from agent.verify.typed import effects, joined, orders, pairing, panel, places, points, scale
from agent.verify.typed.explained import explained
from agent.verify.typed.siblings import sibling
from retrieval.guidelines.corpus import load_corpus
from tools.evidence import Evidence, Kind

TABLE = (
    "Potassium 2.9 mmol/L (reference 3.5-5.1), low. Sodium 150 mmol/L (reference 136-145), high. "
    "D-dimer 0.2 mg/L (cut-off 0.5), not raised."
)
TABLE_ZH = "血钾 2.9 mmol/L（参考 3.5–5.1），偏低。血钠 150 mmol/L（参考 136–145），偏高。"
ITEMS = (
    "CURB-65 is 2 points: confusion 0, urea above 7 mmol/L 1, respiratory rate 30/min or more 0, low blood pressure 0, "
    "age 65 years or more 1."
)
DEFINED = "Pulmonary Embolism Severity Index has 3 items: male (+10); cancer (+30); altered mental status (+60)."
SCALE = "Reading of the index (points): 0 to 2: low risk (death 2%); 3 to 4: moderate risk (death 9%); 5 to 7: high risk (death 27%)."
EFFECT = "Macrolides and azoles raise INR; rifampicin and carbamazepine lower INR."
CASE = "08:00: heart rate 118/min, blood pressure 92/60 mmHg. 14:00: heart rate 94/min, blood pressure 112/70 mmHg."
EMPHYSEMA = "Emphysema takes up 12 % of the lungs: left 8 %, right 17 %. The right upper lobe is affected most."
REGIMEN = "Ceftriaxone 2 g IV once daily plus azithromycin 500 mg IV once daily."

ROWS: list[tuple[Kind, str, str, bool]] = [
    ("lab", TABLE, "The patient is hypokalaemic.", True),
    ("lab", TABLE, "The patient is hyperkalaemic.", False),
    ("lab", TABLE, "Sodium is raised and potassium is low.", True),
    ("lab", TABLE, "Sodium is low and potassium is raised.", False),
    ("lab", TABLE, "The D-dimer is positive.", False),
    ("score", ITEMS, "The patient was not scored as confused.", True),
    ("score", ITEMS, "Confusion contributes one point to the CURB-65.", False),
    ("score", DEFINED, "A history of cancer contributes 30 points.", True),
    ("score", DEFINED, "A history of cancer contributes 20 points.", False),
    ("score", SCALE, "An index of 6 is high risk.", True),
    ("score", SCALE, "An index of 6 is moderate risk.", False),
    ("case", CASE, "Blood pressure rose between 08:00 and 14:00.", True),
    ("case", CASE, "Blood pressure fell between 08:00 and 14:00.", False),
    ("ct", EMPHYSEMA, "Emphysema is worst in the left upper lobe.", False),
    ("drug_graph", REGIMEN, "Ceftriaxone 2 g IV once daily with azithromycin 500 mg once daily by mouth.", False),
]


@pytest.mark.parametrize(("kind", "text", "claim", "sound"), ROWS)
def test_a_claim_on_a_record_is_judged_by_its_fields(kind: Kind, text: str, claim: str, sound: bool) -> None:
    item = Evidence(key="E-1", kind=kind, text=text, text_zh=TABLE_ZH if text == TABLE else None, source="source")
    assert (check(claim, ("E-1",), {"E-1": item}).support is not None) == sound


def test_a_table_leaves_open_what_the_record_leaves_open() -> None:
    table = panel.table(TABLE)
    assert table["potassium"] == {"low"}
    assert table["d_dimer"] == {"low", "normal"}
    assert panel.differing("血钠偏低", [TABLE_ZH]) is not None
    assert panel.differing("血钠偏高", [TABLE_ZH]) is None


def test_items_and_steps_of_a_score() -> None:
    assert [i.points for i in points.items(DEFINED)] == [10, 30, 60]
    assert [(s.low, s.high) for s in scale.steps(SCALE)] == [(0, 2), (3, 4), (5, 7)]
    assert not scale.steps("A plain sentence about 5 patients.")


def test_effects_choices_and_joints() -> None:
    assert effects.opposed_effect("Rifampicin pushes the INR up.", [EFFECT])
    assert effects.opposed_effect("Rifampicin lowers the INR.", [EFFECT]) is None
    assert effects.opposed_choice("Switch to apixaban.", ["Apixaban is contraindicated."])
    assert joined.joined_otherwise("A rise of 12% or 200 mL.", ["A rise of 12% and 200 mL."])
    assert joined.joined_otherwise("A rise of 12% and 200 mL.", ["A rise of 12% and 200 mL."]) is None
    assert orders.ordered_otherwise("Azithromycin 500 mg by mouth.", [REGIMEN])
    assert pairing.exchanged_pair("Purulent fluid scores 1 and clear fluid 0.", ["purulent fluid 0, clear fluid 1"])


def test_places_and_siblings() -> None:
    assert places.side_compared("左肺比例高于右肺。", ["左肺 9.8 %，右肺 18.1 %。"])
    assert places.side_compared("右肺比例高于左肺。", ["左肺 9.8 %，右肺 18.1 %。"]) is None
    assert sibling("Central sleep apnoea improves.", ["Obstructive sleep apnoea improves."]) == ("apnoea", "central")


def test_one_turned_word_in_the_evidences_own_words() -> None:
    text = "Bilateral hilar nodes with few symptoms suggest sarcoidosis."
    assert turned_word("Unilateral hilar nodes with few symptoms suggest sarcoidosis.", [text])
    assert turned_word("Bilateral hilar nodes with few symptoms suggest sarcoidosis.", [text]) is None
    assert turned_word("轻症患者推荐口服给药七天。", ["重症患者推荐口服给药七天。"])


def test_numbers_that_follow_from_a_record() -> None:
    lab = Evidence(key="L-1", kind="lab", text="Lactate 2.4 mmol/L (reference 0.5-2.0 mmol/L), high.", source="laboratory")
    said = numbers_of("Lactate exceeds the limit by 0.4 mmol/L.")[0]
    assert explained(said, "Lactate exceeds the limit by 0.4 mmol/L.", [lab])
    other = numbers_of("Lactate exceeds the limit by 0.9 mmol/L.")[0]
    assert not explained(other, "Lactate exceeds the limit by 0.9 mmol/L.", [lab])


def test_made_claims_turn_one_slot_each() -> None:
    passages = load_corpus().passages[:150]
    made = list(slotted(passages, 1))
    assert {m.kind for m in made if m.fault} >= {"bound", "negation", "dose x10", "swap"}
    assert {m.kind for m in made} <= {"sound", *kinds()}
    assert all(m.text not in (m.passage.text, m.passage.text_zh) for m in made if m.fault)
