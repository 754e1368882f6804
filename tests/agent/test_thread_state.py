"""What a conversation keeps, over many medicines and diseases of our own data in both languages: its subject, the way back, the way out."""

import random
from collections.abc import Callable

import pytest

from agent.assistant import Assistant
from agent.reading.lexicon import Term, mentions, spelt, terms
from agent.reading.plan import in_full, make_plan
from agent.reading.queries import calls_for
from agent.reading.thread.unwind import standing, taken_back
from agent.reading.understand import understand
from tools.evidence import Language

_MANY = 14
# Follow-ups that name no subject, and the questions that they go on from.
_OF_DRUG: dict[Language, tuple[str, ...]] = {
    "en": ("and the dose?", "safe in pregnancy?", "with warfarin?", "in renal failure?", "what about 50 mg?", "side effects?"),
    "zh": ("那剂量呢？", "孕妇能用吗？", "肾功能不全呢？", "和华法林一起行吗？", "有什么副作用？"),
}
_OF_DISEASE: dict[Language, tuple[str, ...]] = {
    "en": ("and in pregnancy?", "how long?", "what about children?", "and the prognosis?"),
    "zh": ("孕妇呢？", "疗程多久？", "儿童呢？", "怎么随访？"),
}
_ASKS: dict[Language, tuple[str, str, str]] = {
    "en": ("What is {} used for?", "How is {} treated?", "Back to {}: any interactions?"),
    "zh": ("{}有什么作用？", "{}怎么治疗？", "回到{}，有没有相互作用？"),
}


def _sample(kind: str, language: Language) -> list[Term]:
    """Terms that their own name alone calls to mind."""
    named = [t for t in terms().values() if t.kind == kind and (t.zh if language == "zh" else t.en) and t.id != "warfarin"]
    own = [t for t in named if [m.term.id for m in mentions(t.name(language))] == [t.id]]
    return random.Random(7).sample(sorted(own, key=lambda t: t.id), _MANY)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", ["drug", "disease"])
def test_an_elliptic_message_keeps_the_subject(kind: str, language: Language) -> None:
    lost = []
    ask = _ASKS[language][kind == "disease"]
    for term in _sample(kind, language):
        for follow in (_OF_DRUG if kind == "drug" else _OF_DISEASE)[language]:
            turn = in_full(follow, None, [ask.format(term.name(language))])
            if turn.reading is None or term.id not in {t.id for t in turn.reading.terms} or follow not in turn.words:
                lost.append((term.id, follow, turn.words))
    assert not lost


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_way_back_leads_to_the_first_subject(language: Language) -> None:
    of_drug, of_disease, back = _ASKS[language]
    lost = []
    for drug, disease in zip(_sample("drug", language), _sample("disease", language), strict=True):
        earlier = [of_drug.format(drug.name(language)), of_disease.format(disease.name(language))]
        turn = in_full(back.format(drug.name(language)), None, earlier)
        named = {t.id for t in turn.reading.terms} if turn.reading else set()
        if turn.kind != "back" or drug.id not in named or disease.id in named:
            lost.append((drug.id, disease.id, turn.kind, turn.words))
    assert not lost


@pytest.mark.parametrize(("language", "suppose", "undo"), [("en", "what if she were pregnant?", "forget that assumption"),
                                                           ("zh", "如果她怀孕了呢？", "撤销这个假设")])  # fmt: skip
def test_taking_back_plans_what_stood_before(language: Language, suppose: str, undo: str) -> None:
    for term in _sample("drug", language):
        first = _ASKS[language][0].format(term.name(language))
        assert make_plan(undo, None, [first, suppose]) == make_plan(first, None, [])


def test_taking_back_is_a_stack() -> None:
    thread = ["CURB-65?", "if the urea were 5?", "and also a respiratory rate of 20?"]
    assert [s.text for s in standing([*thread, "undo that"])] == thread[:2]
    assert [s.text for s in standing([*thread, "undo that", "forget the assumption"])] == thread[:1]
    assert [s.text for s in standing([*thread, "forget all the assumptions"])] == thread[:1]


def test_what_is_asked_beside_taking_back_is_asked_of_the_record() -> None:
    thread = ["Dose of levofloxacin?", "if the eGFR were 20?", "forget that assumption: safe in pregnancy?"]
    assert [s.text for s in standing(thread)] == [thread[0], "safe in pregnancy?"]


@pytest.mark.parametrize("text", ["Should I stop the warfarin?", "and without the macrolide?", "再加华法林呢", "要不要停华法林", "Why?"])
def test_stopping_a_medicine_takes_nothing_back(text: str) -> None:
    assert taken_back(text) is None


def test_an_unknown_medicine_is_not_the_one_spoken_of() -> None:
    turn = in_full("那佐贝沙星呢，能用吗？", None, ["左氧氟沙星的剂量？"])
    assert turn.reading is not None
    assert "levofloxacin" not in {t.id for t in turn.reading.terms}


def test_a_slip_in_a_name_is_read_and_a_report_is_left_alone() -> None:
    assert spelt("azithromycn dose?") == "azithromycin dose?"
    assert spelt("prednisone or prednisolone") == "prednisone or prednisolone"
    assert spelt('check "small pneumothroax"') == 'check "small pneumothroax"'


@pytest.mark.parametrize(
    ("ask", "suppose", "undo"),
    [("Compute CURB-65", "and if the urea were 3?", "undo that"), ("CURB-65几分？", "如果尿素是5呢？", "取消这个假设")],
)
def test_taking_back_restores_the_answer_byte_for_byte(make_assistant: Callable[[], Assistant], ask: str, suppose: str, undo: str) -> None:
    assistant = make_assistant()
    case = assistant.open_case("a", session="s").handle
    thread = assistant.new_thread("s")
    said = []
    for question in (ask, suppose, undo):
        done = [e.answer for e in assistant.ask(question, thread=thread, case=case, session="s") if e.type == "done"]
        said.append(done[0])
    assert said[1].assumptions
    assert said[1].answer != said[0].answer
    assert said[2].answer == said[0].answer
    assert not said[2].assumptions
    assert said[2].question == undo


@pytest.mark.parametrize(
    ("earlier", "answer", "text", "has", "lacks"),
    [
        ("Levofloxacin and theophylline together?", "", "and cipro?", {"ciprofloxacin", "theophylline"}, {"levofloxacin"}),
        (
            "Which tablet made the asthma worse?",
            "Labetalol is contraindicated in asthma.",
            "And what do we put in its place?",
            {"labetalol"},
            set(),
        ),
        ("What instead of labetalol?", "Stop labetalol. Nifedipine is used.", "is it safe?", {"nifedipine"}, {"labetalol"}),
        ("First line for mild CAP?", "Give amoxicillin or doxycycline.", "and the dose?", {"amoxicillin", "doxycycline"}, set()),
    ],
)
def test_the_medicine_left_unsaid(earlier: str, answer: str, text: str, has: set[str], lacks: set[str]) -> None:
    turn = in_full(text, None, [earlier], [answer])
    named = {m.term.id for m in mentions(turn.words)}
    assert has <= named
    assert not named & lacks


def test_a_quantity_takes_the_place_of_its_like() -> None:
    assert "2.5 mg" in in_full("what about 2.5 mg?", None, ["Is apixaban 5 mg right?"]).words
    assert "5 mg right" not in in_full("what about 2.5 mg?", None, ["Is apixaban 5 mg right?"]).words.replace("2.5 mg", "")


def test_an_antibiotic_is_ranked_for_an_infection() -> None:
    topic = frozenset({"asthma"})
    calls = dict(calls_for("drug_rank", understand("Which antibiotic for her?", topic, True), None, topic))
    assert calls["rank_drugs"] == {"condition": "community-acquired pneumonia"}
    steroid = dict(calls_for("drug_rank", understand("Which inhaled steroid for her?", topic, True), None, topic))
    assert steroid["rank_drugs"] == {"condition": "asthma"}
