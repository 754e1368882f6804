"""Bands, rhythms, order, days, sides and subjects: a sentence that has them as the evidence does, and one that has not."""

import pytest

from agent.verify import check
from tools.evidence import Evidence, Kind

BANDS = "The index grades the disease as mild from 5 to below 15 events per hour, moderate from 15 to below 30, and severe at 30 or more."
STEPS = "For a solitary solid nodule: below 6 mm, no routine follow-up; 6-8 mm, CT at 6-12 months; above 8 mm, CT at 3 months or PET/CT."
RHYTHM = "Nodular disease without cavities is treated three times a week; cavitary disease is treated daily."
ORDER = (
    "In massive haemoptysis the airway is secured first, then CT angiography locates the source, followed by bronchial artery embolisation."
)
ORDER_ZH = "长期大环内酯治疗前应排除非结核分枝杆菌感染。"
DAYS = "C-reactive protein fell from 286 mg/L on 2025-03-01 to 143 mg/L on 2025-03-03 and 71 mg/L on 2025-03-04."
SIDES = "Emphysema index: right lung 24.8%, left lung 17.6%; upper lobes more affected than lower lobes."
SUBJECT = (
    "Apixaban or low-molecular-weight heparin may be preferred, because edoxaban and rivaroxaban carry a higher risk of gastrointestinal "
    "bleeding."
)
TOTAL = "GAP index = 5, stage II (stage I 0-3, stage II 4-5, stage III 6-8)."
CASE = "67-year-old woman. Daughter asks whether aminophylline should be given."

ROWS: list[tuple[Kind, str, str, bool]] = [
    ("guideline", BANDS, "An index of 20 events per hour is moderate disease.", True),
    ("guideline", BANDS, "An index of 20 events per hour is severe disease.", False),
    ("guideline", STEPS, "A solid nodule of 6-8 mm: CT at 6-12 months.", True),
    ("guideline", STEPS, "A solid nodule of 6-8 mm: CT at 3 months or PET/CT.", False),
    ("guideline", RHYTHM, "Cavitary disease is treated every day.", True),
    ("guideline", RHYTHM, "Cavitary disease is treated three times a week.", False),
    ("guideline", ORDER, "CT angiography comes before bronchial artery embolisation.", True),
    ("guideline", ORDER, "Bronchial artery embolisation comes before CT angiography.", False),
    ("guideline", ORDER_ZH, "长期大环内酯治疗前先排除非结核分枝杆菌感染。", True),
    ("guideline", ORDER_ZH, "长期大环内酯治疗后再排除非结核分枝杆菌感染。", False),
    ("lab", DAYS, "C-reactive protein was 286 mg/L on 1 March and 71 mg/L on 4 March.", True),
    ("lab", DAYS, "C-reactive protein was 71 mg/L on 1 March and 286 mg/L on 4 March.", False),
    ("ct", SIDES, "Emphysema is more extensive on the right than on the left.", True),
    ("ct", SIDES, "Emphysema is more extensive on the left than on the right.", False),
    ("ct", SIDES, "Emphysema is predominantly in the lower lobes.", False),
    ("guideline", SUBJECT, "Edoxaban and rivaroxaban carry a higher risk of gastrointestinal bleeding.", True),
    ("guideline", SUBJECT, "Apixaban carries a higher risk of gastrointestinal bleeding.", False),
    ("score", TOTAL, "The GAP index of 5 is stage II.", True),
    ("score", TOTAL, "The GAP index of 5 corresponds to stage III.", False),
    ("score", TOTAL, "The GAP index is 7.", False),
    ("case", CASE, "The daughter asks whether aminophylline should be given.", True),
    ("case", CASE, "Aminophylline should be given to her.", False),
]


@pytest.mark.parametrize(("kind", "text", "claim", "sound"), ROWS)
def test_facts_of_a_sentence(kind: Kind, text: str, claim: str, sound: bool) -> None:
    item = Evidence(key="E-1", kind=kind, text=text, text_zh=text if text == ORDER_ZH else None, source="source")
    assert (check(claim, ("E-1",), {"E-1": item}).support is not None) == sound
