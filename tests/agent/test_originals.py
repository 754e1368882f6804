"""A refused sentence on a guideline gives way to the guideline's own sentence; records, old editions and strange claims do not."""

from agent.answering.rendering import originals
from agent.verify import Verdict
from tools.evidence import Evidence

TEXT = "Oxygen is titrated to 88 to 92% in patients at risk of hypercapnia. A saturation above the range is corrected too."
ITEM = Evidence(key="G-a", kind="guideline", text=TEXT, text_zh=None, source="TSANZ 2022", year=2022)
OLD = ITEM.model_copy(update={"key": "G-old", "current": False})
HELD = {"G-a": ITEM, "G-old": OLD}
WRONG = "Oxygen is titrated to 94 to 98% in patients at risk of hypercapnia."


def test_the_original_stands_instead_and_only_once() -> None:
    refused = Verdict(WRONG, ("G-a",), None, "the number 94 is not in the evidence")
    shown, replaced = originals([refused, refused], HELD, "en")
    assert shown[0].support == "quoted"
    assert "88 to 92%" in shown[0].text
    assert shown[1].support is None
    assert [v.text for v in replaced] == [WRONG]


def test_what_passed_stays_and_what_is_not_repeated() -> None:
    passed = Verdict("A saturation above the range is corrected too.", ("G-a",), "quoted")
    refused = Verdict("A saturation above the range is not corrected.", ("G-a",), None, "it denies what the evidence states")
    assert originals([passed, refused], HELD, "en") == ([passed, refused], [])


def test_no_original_for_another_matter_or_a_replaced_edition() -> None:
    strange = Verdict("Warfarin is stopped before surgery.", ("G-a",), None, "the evidence does not speak of warfarin")
    old = Verdict(WRONG, ("G-old",), None, "the cited edition is superseded")
    unknown = Verdict(WRONG, ("G-b",), None, "no tool returned G-b")
    assert originals([strange, old, unknown], HELD, "en") == ([strange, old, unknown], [])
