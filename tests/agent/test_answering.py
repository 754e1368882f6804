"""The shape of an answer: what leads, what follows, what is folded away, what is named as open."""

from pathlib import Path

from agent.answering.compose import ROOM, _arranged, _unjudged_drug, pair_answered
from agent.answering.draft import DraftSentence
from agent.answering.followups import left_open, parts_of
from agent.answering.labs import by_system, system_of
from agent.answering.guidance.passages import pieces_of
from agent.reading.plan import make_plan
from agent.turn.ledger import ToolStep
from tools.deps import Deps
from tools.drugs.medications import query_drug_graph
from tools.evidence import Evidence, Quantity, ToolResult
from tools.guidelines.search import HitsData

TARGETS = Evidence(
    key="G-000001",
    kind="guideline",
    text="Oxygen is a drug and is prescribed. The target saturation is 88 to 92% in people at risk of hypercapnic failure. "
    "Blood gases are repeated after 30 to 60 minutes.",
    text_zh="氧气是药物,须开处方。有高碳酸血症风险者目标氧饱和度为88%~92%。30~60分钟后复查血气。",
    source="guideline",
)
OTHER = Evidence(
    key="G-000002", kind="guideline", text="Smoking cessation is offered to everyone. Vaccines are given every year.", source="guideline"
)


def _lab(name: str, text: str, **more: bool) -> Evidence:
    return Evidence(key=f"L-{name}", kind="lab", text=text, source="record", quantities=(Quantity(name=name, value=1.0),), **more)  # type: ignore[arg-type]


def test_the_sentence_that_answers_leads_and_its_passage_follows_whole() -> None:
    pieces = pieces_of([TARGETS, OTHER], "Which target saturation in hypercapnic failure?", None, "en")
    assert pieces[0].lead
    assert pieces[0].text.startswith("The target saturation is 88 to 92%")
    whole = " ".join(p.text for p in pieces if p.evidence is TARGETS)
    assert "Oxygen is a drug" in whole
    assert "Blood gases are repeated" in whole
    assert not any("Vaccines" in p.text for p in pieces)


def test_the_same_in_chinese() -> None:
    pieces = pieces_of([TARGETS], "高碳酸血症风险患者的目标氧饱和度是多少？", None, "zh")
    assert pieces[0].text.startswith("有高碳酸血症风险者目标")


def test_labs_come_critical_first_then_patterns_then_by_system() -> None:
    sodium, crp = _lab("sodium", "Sodium is 131 mmol/L: low."), _lab("crp", "CRP is 90 mg/L: high.")
    pattern = _lab("pattern", "This suggests bacterial infection.", inferred=True)
    potassium = _lab("potassium", "Potassium is 6.9 mmol/L: critically high.")
    assert [e.key for e in by_system([sodium, crp, pattern, potassium])] == ["L-potassium", "L-pattern", "L-crp", "L-sodium"]
    assert system_of(sodium, "en") == "Kidney and electrolytes"
    assert system_of(pattern, "en") is None


def test_what_does_not_fit_is_folded_away_and_the_headline_has_two_sentences() -> None:
    heads = [DraftSentence(text=f"Result {i}.", evidence=(f"S-{i}",), part="headline") for i in range(3)]
    rest = [DraftSentence(text="Word " * 60 + f"number {i}.", evidence=(f"G-{i}",), part="evidence") for i in range(8)]
    placed = _arranged([*heads, *rest], whole=False)
    assert [s.part for s in placed[:3]] == ["headline", "headline", "patient"]
    assert sum(len(s.text) for s in placed if s.part != "more") <= ROOM
    assert {s.text for s in placed} == {s.text for s in (*heads, *rest)}


def test_a_part_that_no_sentence_speaks_of_is_named() -> None:
    question = "What is the target saturation in COPD? Which vaccine against pneumococcus is given?"
    assert len(parts_of(question)) == 2
    assert left_open(question, ["The target saturation in COPD is 88 to 92%."]) == ("Which vaccine against pneumococcus is given",)
    assert left_open("What is the target saturation in COPD?", ["nothing"]) == ()


def test_a_judgement_on_one_part_leaves_the_other_part_its_answer() -> None:
    judged = [Evidence(key="B-niv_copd-0", kind="score", text="Not now: pH 7.44 is not below 7.35.", source="BTS/ICS")]
    asked_drug = make_plan("Can I give this man clarithromycin, and is he a candidate for NIV?", None, [], "")
    assert _unjudged_drug(judged, asked_drug), "the drug is another part"
    told = [Evidence(key="B-can_have-0", kind="drug_graph", text="Avoid clarithromycin: it raises warfarin.", source="label")]
    assert not _unjudged_drug(told, asked_drug)


def test_an_interaction_in_short_names_is_answered_by_the_graph_alone() -> None:
    """Passages that a search called near say nothing about two medicines whose interaction the graph holds."""
    graph = query_drug_graph(Deps(cache_dir=Path("/nonexistent")), "clari and simva together?")
    hits = HitsData(hits=(), direct=False, unknown=())
    near = ToolResult(tool="search_guidelines", status="partial", evidence=(OTHER,), data=hits)
    steps = (ToolStep("1", {}, 0.0, graph), ToolStep("1", {}, 0.0, near))
    assert pair_answered(steps)
    direct = near.model_copy(update={"data": hits.model_copy(update={"direct": True})})
    assert not pair_answered((steps[0], ToolStep("2", {}, 0.0, direct)))
    one = query_drug_graph(Deps(cache_dir=Path("/nonexistent")), "is clari safe?")
    assert not pair_answered((ToolStep("1", {}, 0.0, one), steps[1]))
