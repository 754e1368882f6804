import re
from types import ModuleType

from agent.answer import Answer, Claim, Done, Removed, StepFinished
from tools.evidence import Evidence
from ui.i18n import KINDS, SCRIPT_TEXT, STATUS, SUPPORT, TEXT, TOOLS
from ui.render import card_html, passage_panel, question_html, turn_html
from ui.session import Turn

EVIL = "<img src=x onerror=alert(1)>"


def answered(**changes: object) -> Answer:
    fields = {"status": "answered", "question": "q", "language": "en", "answer": "a", "model": "m", "thread": "t", **changes}
    return Answer.model_validate(fields)


def test_nothing_from_outside_becomes_markup(scripted: ModuleType) -> None:
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
    view = scripted.view("h", f"Name: {EVIL}", EVIL, warnings=(EVIL,))
    html = question_html(turn) + turn_html(turn, "en") + card_html(view, "en", EVIL) + passage_panel(evidence.key, evidence, None, "zh")
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
    assert [re.findall(r">\[(\d)\]<", part) for part in said] == [["2"], ["1", "2"]]
    assert "first [2]" not in said[0]
    assert "inference" in said[1]


def test_headings_follow_the_kind_of_evidence() -> None:
    lab, guideline = (Evidence.model_validate({"key": k, "kind": k, "text": k, "source": k}) for k in ("lab", "guideline"))
    claims = tuple(Claim(text=e.key, evidence=(e.key,), support="quoted") for e in (lab, lab, guideline))
    html = turn_html(Turn("q", answer=answered(claims=claims, evidence=(lab, guideline))), "en")
    assert re.findall(r"<h3>(.*?)</h3>", html) == ["Laboratory", "Guidelines"]


def test_every_string_has_both_languages_and_the_same_values() -> None:
    for table in (TEXT, TOOLS, STATUS, SUPPORT, KINDS):
        for key, (english, chinese) in table.items():
            assert english, key
            assert chinese, key
            assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", chinese)), key
    assert SCRIPT_TEXT["en"].keys() == SCRIPT_TEXT["zh"].keys()
