"""The last answer once more: shorter, in another language, as its sources."""

import pytest

from agent.answering.draft import DraftSentence
from agent.turn.again import again
from agent.turn.ledger import Ledger
from agent.verify import verify
from tools.evidence import Evidence

PLACE = {"source": "BTS: Guideline for oxygen use in adults", "year": 2017, "locator": "Section 8"}
EVIDENCE = {
    f"G-{n}": Evidence(key=f"G-{n}", kind="guideline", text=f"Advice {n} holds.", text_zh=f"建议{n}成立。", **PLACE) for n in range(6)
}
SAID = [DraftSentence(text=e.text, evidence=(k,)) for k, e in EVIDENCE.items()]


@pytest.mark.parametrize(
    ("wanted", "question", "language", "texts"),
    [
        ("shorter", "shorter", "en", ["Advice 0 holds.", "Advice 1 holds.", "Advice 2 holds."]),
        ("shorter", "one line please", "en", ["Advice 0 holds."]),
        ("translate", "in Chinese, two sentences", "zh", ["建议0成立。", "建议1成立。"]),
    ],
)
def test_the_same_statements_in_another_form(wanted, question: str, language, texts: list[str]) -> None:
    assert [s.text for s in again(wanted, SAID, Ledger(EVIDENCE), question, language).sentences] == texts


def test_sources_are_named_and_pass_the_check() -> None:
    draft = again("sources", SAID[:1], Ledger(EVIDENCE), "source?", "en")
    assert draft.sentences[0].text == "Source: BTS: Guideline for oxygen use in adults (2017), Section 8."
    assert all(v.support for v in verify(draft, EVIDENCE))


def test_without_an_answer_before_it_is_asked_which() -> None:
    assert again("shorter", [], Ledger(), "shorter", "en").notice == "which_one"
