"""Who is in danger and what is said first; typed wording by hand, the outside file as a measure of its own."""

import json
from pathlib import Path

import pytest

from agent.safety import lead
from agent.safety.danger import recorded, typed
from agent.safety.triggers import pattern, triggers
from retrieval.guidelines.corpus import load_corpus
from tools.case.record import Case

OUTSIDE = Path(__file__).resolve().parents[2] / "outside" / "emergencies.jsonl"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("potassium 6.9 and broad QRS", "hyperkalaemia"),
        ("K+ of 7.3 on the gas", "hyperkalaemia"),
        ("血钾7.2，心电图T波高尖", "hyperkalaemia"),
        ("Na 112 and now fitting", "hyponatraemia"),
        ("SpO2掉到72了", "hypoxaemia"),
        ("sats 68 on 15 litres", "hypoxaemia"),
        ("pO2 5.1 kPa on the gas", "hypoxaemia"),
        ("she coughed up about 300 ml of blood", "massive_haemoptysis"),
        ("咯了半碗血", "massive_haemoptysis"),
        ("trachea pushed to the left, no breath sounds right", "tension_pneumothorax"),
        ("he has stopped breathing", "cardiac_arrest"),
        ("BP 62/30 after the antibiotic, wheezy", "shock"),
        ("Hb 4.9, still oozing", "severe_anaemia"),
        ("silent chest and exhausted", "life_threatening_asthma"),
    ],
)
def test_danger_is_read_from_what_is_typed(text: str, expected: str) -> None:
    assert expected in {d.trigger.id for d in typed(text)}


@pytest.mark.parametrize(
    "text",
    [
        "No tension pneumothorax on the film.",
        "What is the treatment of tension pneumothorax?",
        "If sats drop below 80, what should I do?",
        "History of anaphylaxis to penicillin, which antibiotic?",
        "criteria for massive haemoptysis",
        "pleural fluid pH 7.05 and glucose 1.1",
        "K 4.1, Na 138",
        "张力性气胸的治疗原则",
        "未见张力性气胸",
        "血钾4.2",
        "SpO2 < 90 % as a criterion for home oxygen",
        "lactate was 7 yesterday and is normal today",
    ],
)
def test_no_danger_where_none_is(text: str) -> None:
    assert typed(text) == ()


def test_what_is_typed_outranks_the_record_and_is_cited() -> None:
    first = lead("大咯血，一小时500毫升", None, "zh")
    assert first.headlines[0].startswith("需立即处理：危及生命的大咯血")
    assert first.claims
    assert all(c.evidence[0] in {e.key for e in first.evidence} for c in first.claims)
    assert all(c.text in (e.text_zh or "") for c, e in zip(first.claims, first.evidence * 9, strict=False))


def test_a_sedated_patient_is_not_called_unconscious() -> None:
    vitals = [{"time": "2026-01-01T08:00:00", "gcs": 3}]
    plain = Case.model_validate({"case_id": "t", "vitals": vitals})
    sedated = Case.model_validate({"case_id": "t", "vitals": vitals, "medications": [{"name": "propofol"}]})
    assert "coma" in {d.trigger.id for d in recorded(plain)}
    assert "coma" not in {d.trigger.id for d in recorded(sedated)}


def test_every_trigger_compiles_and_names_a_passage_that_may_exist() -> None:
    known = {p.id for p in load_corpus().passages}
    for trigger in triggers().emergency:
        pattern(trigger.words)
        assert trigger.call_en
        assert trigger.call_zh
    quoted = [t for t in triggers().emergency if set(t.passages) & known]
    assert len(quoted) >= 12
    assert all(name in triggers().limits for t in triggers().emergency for name in t.values)


@pytest.mark.skipif(not OUTSIDE.is_file(), reason="the outside file is not in this checkout")
def test_outside_emergencies() -> None:
    rows = [json.loads(line) for line in OUTSIDE.read_text(encoding="utf-8").splitlines()]
    wrong = [r["q"] for r in rows if bool(typed(r["q"])) != (r["expect"] == "emergency")]
    assert len(wrong) <= 0.05 * len(rows), "\n".join(wrong)
