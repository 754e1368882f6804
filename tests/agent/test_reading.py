"""What a message asks: own words reach the search, the trained reader decides, follow-ups are resolved or asked about."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.reading.dialogue import about, asked_language, sentences_asked
from agent.reading.features import WIDTH, Message, grams, marks
from agent.reading.intents import read_question
from agent.reading.plan import make_plan
from agent.reading.queries import calls_for
from agent.reading.reader import KINDS, LABELS, NONE, TOOLS, Opinion, Reader, Weights, load, save
from agent.training.fit_reader import fit
from agent.training.utterances import Utterance, folder, read_utterances
from agent.turn.prompts import CaseCard

UTTERANCES = read_utterances(folder())
CARD = CaseCard(age_years=67, sex="male", conditions=("COPD",), question="Cause of fever?", symptoms=("fever", "cough"), studies=("ct-1",))


def test_a_guideline_search_gets_every_word_of_the_question() -> None:
    assert len(UTTERANCES) > 7000
    for row in UTTERANCES:
        reading = replace(read_question(row.q), intents={"guideline": 0})
        for card, topic in ((None, frozenset[str]()), (CARD, frozenset({"cap"}))):
            ((_, args),) = calls_for("guideline", reading, card, topic)
            assert row.q in str(args["query"])


def test_a_knowledge_question_is_never_turned_away_without_a_search() -> None:
    rows = [r for r in UTTERANCES if not r.case and not r.before and r.tools == ("search_guidelines",)][::25]
    assert len(rows) > 20
    for row in rows:
        plan = make_plan(row.q, None, [])
        queries = [str(args["query"]) for name, args in plan.calls if name == "search_guidelines"]
        assert plan.notice is None, row.q
        assert queries, row.q
        assert row.q in queries[0]


def _weights(**chosen: float) -> Weights:
    coef = np.zeros((len(LABELS), WIDTH), np.float32)
    bias = np.full(len(LABELS), -4, np.float32)
    for name, value in chosen.items():
        bias[LABELS.index(name)] = value
    ones = np.ones(len(LABELS), np.float32)
    limits = np.full((2, len(TOOLS) + 1), 0.5, np.float32)
    return Weights(coef, bias, ones, np.zeros_like(ones), limits)


def test_tools_above_their_threshold_are_chosen_at_least_the_likeliest_unless_none_is_likelier() -> None:
    def choose(**chosen: float) -> tuple[str, ...]:
        reader = Reader(_weights(**chosen))
        return reader.choose(Opinion({t: chosen.get(t, 0.0) for t in TOOLS}, chosen.get(NONE, 0.0), dict.fromkeys(KINDS, 0.0)), True)

    assert choose(classify_ct=0.6, quantify_ct=0.9) == ("quantify_ct", "classify_ct")
    assert choose(classify_ct=0.3) == ("classify_ct",)
    assert choose(classify_ct=0.3, none=0.4) == ()
    assert choose(classify_ct=0.55, none=0.8) == ()


def test_weights_survive_the_file(tmp_path: Path) -> None:
    save(_weights(classify_ct=2, check_report=1), tmp_path / "r.npz")
    again = Reader(load(tmp_path / "r.npz")).read(Message("hello"))
    assert again.tools["classify_ct"] == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-3)
    assert again.kinds["check_report"] == pytest.approx(1 / (1 + np.exp(4)), abs=1e-3)
    assert again.tools["check_report"] == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-3)
    assert again.tools["quantify_ct"] == pytest.approx(1 / (1 + np.exp(4)), abs=1e-3)


def test_features_know_the_case_and_the_message_before() -> None:
    assert marks(Message("CURB-65?", True)) != marks(Message("CURB-65?", False))
    assert "b:intent:score" in marks(Message("and PSI?", False, "CURB-65?"))
    assert grams("creatinine 118") == grams("creatinine 250")


def test_a_reader_can_be_fitted_and_reads_unseen_authors() -> None:
    picked = [r for r in UTTERANCES if r.tools in ((), ("calculate_score",), ("draft_report",)) and not r.before][::4]
    authors = sorted({r.author for r in picked})
    rows = [r.model_copy(update={"author": f"{'ab'[authors.index(r.author) % 2]}"}) for r in picked]
    fitted = fit(rows)
    assert fitted.unseen["set_f1_case"] > 0.75
    reader = Reader(fitted.weights)
    assert reader.choose(reader.read(Message("Draft the report of this CT", True)), True) == ("draft_report",)


def test_own_utterances_are_many_in_both_languages_and_for_every_tool() -> None:
    own = [r for r in UTTERANCES if r.author == "house" or r.author.startswith("own_")]
    assert len(own) >= 4000
    assert 0.4 < sum(r.lang == "zh" for r in own) / len(own) < 0.6
    for tool in TOOLS:
        assert sum(tool in r.tools for r in own) >= 150, tool
    assert sum(not r.tools for r in own) >= 150
    assert {r.kind for r in own} == set(KINDS)


def test_an_utterance_of_an_unknown_kind_is_refused_by_line(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"q": "a", "lang": "en", "tools": [], "kind": "nonsense"}\n', encoding="utf-8")
    with pytest.raises(Exception, match="line 1"):
        read_utterances(tmp_path)
    with pytest.raises(ValueError, match="nonsense"):
        Utterance(q="a", lang="en", tools=(), kind="nonsense")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Shorter please", "shorter"),
        ("One line please.", "shorter"),
        ("Say it in Chinese", "translate"),
        ("where did you get that?", "sources"),
        ("Why?", "why"),
        ("短一点", "shorter"),
        ("出处呢", "sources"),
        ("翻译成英文", "translate"),
        ("What is the source of the infection in empyema?", None),
        ("What is the CURB-65?", None),
    ],
)
def test_what_a_message_wants_of_the_answer_before(text: str, wanted: str | None) -> None:
    kinds = {"about_answer": 0.9} if wanted else {"definition": 0.9}
    assert about(replace(read_question(text), kinds=kinds)) == wanted


def test_the_language_and_length_that_are_asked_for() -> None:
    assert [asked_language(t) for t in ("In Chinese please", "用英文再说一遍", "Treat CAP", "back to English: the dose?")] == [
        "zh",
        "en",
        None,
        "en",
    ]
    assert [sentences_asked(t) for t in ("one line", "two sentences", "三句话", "shorter")] == [1, 2, 3, None]


@pytest.mark.parametrize(
    ("earlier", "question", "tool", "words"),
    [
        (["What is her CURB-65?"], "No, I meant PSI.", "calculate_score", "psi"),
        (
            ["Treatment of asthma?", "How long is PE anticoagulated?"],
            "Back to the asthma: and in pregnancy?",
            "search_guidelines",
            "asthma",
        ),
        (["哮喘怎么治疗？"], "孕妇呢？", "search_guidelines", "哮喘"),
    ],
)
def test_a_message_takes_up_what_it_refers_to(earlier: list[str], question: str, tool: str, words: str) -> None:
    card = CARD if "her" in earlier[0] else None
    calls = dict(make_plan(question, card, earlier).calls)
    assert words in str(calls[tool])


def test_these_are_the_medicines_of_the_last_answer() -> None:
    said = "Amoxicillin or doxycycline can be given."
    plan = make_plan("Which of these is safest with warfarin?", None, ["Which antibiotics for CAP?"], [said])
    assert {"amoxicillin", "doxycycline", "warfarin"} <= {d.id for d in plan.reading.drugs}


def test_what_points_to_nothing_is_asked_about() -> None:
    assert make_plan("and that one?", None, []).notice == "which_one"
