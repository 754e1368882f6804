import re
from types import ModuleType

from agent.answering.answer import Answer, Claim, Done, DrugRow, DrugWarning, Removed, ReportSection, ReportSentence, StepFinished
from agent.chart.views import Bar, Sign
from tools.evidence import Evidence, ModelCard
from tools.reports.export.cited import place_words, source_name
from ui.chart.bar import bar_html
from ui.i18n import TABLES
from ui.page.chrome import starters_html
from ui.page.marks import lines
from ui.page.passage import passage_panel
from ui.page.render import question_html, turn_html
from ui.page.said import linked
from ui.session import Turn

EVIL = "<img src=x onerror=alert(1)>"


def answered(**changes: object) -> Answer:
    fields = {"status": "answered", "question": "q", "language": "en", "answer": "a", "model": "m", "thread": "t", **changes}
    return Answer.model_validate(fields)


def test_nothing_from_outside_becomes_markup() -> None:
    evidence = Evidence(key=f'G-"{EVIL}', kind="guideline", text=EVIL, text_zh=EVIL, source=EVIL, locator=EVIL)
    answer = answered(
        claims=(Claim(text=EVIL, evidence=(evidence.key,), support="quoted"),),
        evidence=(evidence,),
        removed=(Removed(text=EVIL, because=EVIL),),
        missing=(EVIL,),
        emergencies=(EVIL,),
        warnings=(EVIL,),
    )
    step = StepFinished(call_id="1", name="search_guidelines", status="ok", summary=EVIL, seconds=0.1)
    turn = Turn(EVIL, steps={"1": step}, answer=answer)
    bar = Bar(name=EVIL, synthetic=True, allergies=(EVIL,), emergencies=(EVIL,), vitals=(Sign(name=EVIL, value=EVIL, key=EVIL),))
    html = (
        question_html(turn)
        + turn_html(turn, "en")
        + bar_html("h", bar, "en", EVIL)
        + passage_panel(evidence.key, evidence, None, "zh", EVIL)
    )
    assert "<img" not in html
    assert html.count("&lt;img") > 10


def test_a_message_is_one_line_so_that_markdown_leaves_it_alone(scripted: ModuleType) -> None:
    turn = Turn("first\n\n# second\n* third")
    assert "\n" not in question_html(turn)
    for event in scripted.ScriptedAssistant().ask("labs\n\nagain", thread="t", case=None, session="s"):
        if isinstance(event, Done):
            turn.answer = event.answer
    assert "\n" not in turn_html(turn, "en")


def test_citations_are_numbered_as_the_answer_lists_them() -> None:
    listed = [Evidence(key=key, kind="lab", text=key, source=key) for key in ("B", "A")]
    answer = answered(
        claims=(
            Claim(text="first [2]", evidence=("A",), support="quoted"),
            Claim(text="second [1][2]", evidence=("B", "A"), support="inferred"),
        ),
        evidence=tuple(listed),
    )
    said = re.findall(r'<p class="said.*?</p>', turn_html(Turn("q", answer=answer), "en"))
    assert [re.findall(r'class="cite.*?>(\d)<', part) for part in said] == [["2"], ["1", "2"]]
    assert "first [2]" not in said[0]
    assert "inference" in said[1]


def test_headings_follow_the_kind_of_evidence() -> None:
    lab, guideline = (Evidence.model_validate({"key": k, "kind": k, "text": k, "source": k}) for k in ("lab", "guideline"))
    claims = tuple(Claim(text=e.key, evidence=(e.key,), support="quoted") for e in (lab, lab, guideline))
    html = turn_html(Turn("q", answer=answered(claims=claims, evidence=(lab, guideline))), "en")
    assert re.findall(r"<h3>(.*?)</h3>", html) == ["Laboratory", "Guidelines"]


def test_every_string_has_both_languages_and_the_same_values() -> None:
    for table in TABLES.values():
        for key, (english, chinese) in table.items():
            assert english, key
            assert chinese, key
            assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", chinese)), key


def test_a_draft_shows_sections_and_origins_and_its_sentences_once() -> None:
    model = Evidence(
        key="M-ct-1-lung_nodule", kind="model", text="The model finds a nodule.", source="weights", locator="ct-1 slice 7", present=True
    )
    model = model.model_copy(
        update={
            "card": ModelCard(
                weights="w<1>", trained_on="synthetic patients", licence="l", domain="in", distance=0.8, limit=1.9, threshold=0.4
            )
        }
    )
    answer = Answer(
        status="answered",
        question="Draft the report",
        language="en",
        answer=model.text,
        claims=(Claim(text=model.text, evidence=(model.key,), support="quoted"),),
        evidence=(model,),
        report=(ReportSection(name="findings", sentences=(ReportSentence(text=model.text, origin="model", evidence=model.key),)),),
        withheld=(Removed(text="No <effusion>.", because="the detector finds pleural effusion"),),
        model="planner",
        thread="t",
    )
    for language, section, origin in (("en", "Findings", "model"), ("zh", "影像所见", "模型")):
        html = turn_html(Turn("Draft the report", answer=answer), language)
        assert re.sub(r"<button.*?</button>", "", html).count("The model finds a nodule.") == 1
        assert f"<h4>{section}</h4>" in html
        assert f">{origin}</em>" in html
        assert "No &lt;effusion&gt;." in html
    panel = passage_panel(model.key, model, None, "en")
    for words in ("w&lt;1&gt;", "synthetic patients", "inside", "0.80 / 1.90", "0.40"):
        assert words in panel


def test_ranked_drugs_stand_beside_their_warnings() -> None:
    warning = DrugWarning(text="With warfarin: bleeding <b>.", severity="major", evidence="D-000001")
    rows = (
        DrugRow(name="doxycycline", line="first", score=0.9, dose="100 mg", model_score=0.31, model_rank=4, warnings=(warning,)),
        DrugRow(name="amoxicillin", line="first", score=0.4, because="allergy", warnings=(warning,)),
    )
    answer = Answer(status="answered", question="q", language="en", answer="a", drugs=rows, model="planner", thread="t")
    html = turn_html(Turn("q", answer=answer), "en")
    assert "0.31 (#4)" in html
    assert "With warfarin: bleeding &lt;b&gt;." in html
    assert 'data-key="D-000001"' in html
    assert html.index("doxycycline") < html.index("amoxicillin")
    assert "rejected" in html
    assert "不选用" in turn_html(Turn("q", answer=answer), "zh")


def test_units_sources_and_places_read_as_print() -> None:
    assert lines("WBC 18.6 10^9/L, 10^9 alone, 18 ug daily") == "WBC 18.6 ×10⁹/L, 10^9 alone, 18 µg daily"
    assert place_words("beclometasone -treats-> asthma") == "beclometasone → asthma"
    assert source_name("case record", "zh") != "case record"
    assert source_name("GINA", "zh") == "GINA"
    assert source_name("quantitative CT of ct-1", "zh") == "ct-1 的 CT 定量测量"
    assert (place_words("2025-03-01T08:10:00"), place_words("G-daf5d6")) == ("2025-03-01 08:10", "")


def test_first_questions_about_images_need_images() -> None:
    with_images = starters_html("en", with_case=True, with_images=True)
    without = starters_html("en", with_case=True)
    assert with_images.count("<button") - without.count("<button") == 2
    assert "CT" not in without


def test_units_of_an_answer_are_printed_as_a_laboratory_prints_them() -> None:
    assert linked("White cells 9.9 10^3/uL & more", (), "en") == "White cells 9.9 ×10³/uL &amp; more"
