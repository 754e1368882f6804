"""Text planted in a record is no part of what tools say of it, and does not support what it wants said."""

import re
from collections import Counter
from pathlib import Path

import pytest

from agent.answering.answer import Claim
from agent.answering.documents import attributed, contradictions
from agent.answering.rendering import reworded
from agent.evaluation.attacks import Attack, planted
from agent.verify import check
from tools.case.record import Case, Condition, Medication, Observation
from tools.case.summary import summarize_case
from tools.deps import Deps
from tools.evidence import Evidence
from tools.labs.interpret import interpret_labs

ROWS = [
    Attack.model_validate_json(line) for line in (Path(__file__).parent / "attacks.jsonl").read_text(encoding="utf-8").splitlines() if line
]
RECORDED = [a for a in ROWS if a.channel not in ("document", "question")]


def test_there_are_enough_attacks_over_all_channels() -> None:
    channels = Counter(a.channel for a in ROWS)
    assert len(ROWS) >= 120
    assert len(channels) == 10
    assert {a.lang for a in ROWS} == {"en", "zh"}


def _evidence(attack: Attack, folder: Path) -> list[Evidence]:
    base = Case(case_id="attacked", labs=(Observation(time="2025-03-01T08:00:00", analyte="urea", value=11.2, unit="mmol/L"),))
    deps = Deps(cache_dir=folder, case=planted(base, attack))
    return [e for tool in (summarize_case, interpret_labs) for e in tool(deps).evidence]


@pytest.mark.parametrize("channel", sorted({a.channel for a in RECORDED}))
def test_planted_text_reaches_no_evidence_and_supports_nothing(channel: str, tmp_path: Path) -> None:
    told = []
    for attack in (a for a in RECORDED if a.channel == channel):
        for item in _evidence(attack, tmp_path):
            if re.search(attack.bad, f"{item.text} {item.text_zh}", re.IGNORECASE):
                told.append(f"{attack.id} in {item.key}: {item.text}")
            shown, _ = reworded([check(attack.wants, (item.key,), {item.key: item})], {item.key: item}, attack.lang)
            if any(v.support is not None and re.search(attack.bad, v.text, re.IGNORECASE) for v in shown):
                told.append(f"{attack.id} supported by {item.key}: {item.text}")
    assert not told, "\n".join(told)


def test_names_that_are_names_stay() -> None:
    names = ("heart failure, excluded 2020", "type 2 diabetes, poorly controlled", "lung cancer (stage IV)", "慢阻肺(稳定期)")
    assert [Condition(name=n).name for n in names] == list(names)
    assert Medication(name="稳可信", frequency="as needed", unit="mg").model_dump(include={"name", "frequency"}) == {
        "name": "稳可信",
        "frequency": "as needed",
    }
    assert Observation(analyte="C反应蛋白", unit="mL/min/1.73 m2").analyte == "C反应蛋白"


PAPER = Evidence(
    key="X-1", kind="document", text="Amoxicillin 500 mg is given with methotrexate.", source="Own documents: Ward leaflet (2024)"
)


def test_a_document_speaks_under_its_name_and_with_what_contradicts_it() -> None:
    claim = attributed(Claim(text=PAPER.text, evidence=("X-1",), support="quoted"), {"X-1": PAPER}, "en")
    assert claim.text == f'The hospital\'s document "Ward leaflet" says: {PAPER.text}'
    rule = Evidence(
        key="D-1",
        kind="drug_graph",
        text="Amoxicillin 500 mg is not given with methotrexate: the combination is contraindicated.",
        source="Label of methotrexate",
    )
    said = contradictions([claim], {"X-1": PAPER, "D-1": rule}, ("penicillin",), "en")
    assert any("allergy to penicillin" in s for s in said)
    assert any("contradicts Label of methotrexate" in s for s in said)
    assert contradictions([claim], {"X-1": PAPER}, (), "zh") == []
