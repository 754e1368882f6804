"""A question finds its topic by what it shares with it, where no listed word stands; a question of another kind finds none."""

import json
from importlib.resources import files

import numpy as np
import pytest

from retrieval.drugs.graph import DrugGraph
from tools.bedside.attach import judgements
from tools.bedside.matching.likeness import digest, examples, like
from tools.bedside.record.view import Record
from tools.bedside.topics import topics
from tools.case.record import Case

GRAPH = DrugGraph.load()


def _case(name: str) -> Case:
    return Case.model_validate(json.loads((files("tools") / "data" / "cases" / name / "case.json").read_text(encoding="utf-8")))


def test_shipped_vectors_are_those_of_the_examples() -> None:
    with np.load(str(files("tools") / "data" / "bedside" / "likes.npz")) as shipped:
        assert str(shipped["digest"]) == digest()
        assert len(shipped["vectors"]) == sum(map(len, examples().values()))
    assert set(examples()) <= set(topics())


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("should public health trace his contacts", "tb_contacts"),
        ("纤维化的自身抗体还缺哪几项", "ild_causes"),
        ("is the fetus in need of monitoring tonight", "fetal_monitoring"),
        ("write an e-mail to my landlord", None),
        ("今天天气怎么样", None),
    ],
)
def test_a_question_finds_the_topic_it_is_like(question: str, topic: str | None) -> None:
    assert like(question, topics()) == topic


@pytest.mark.parametrize(
    ("case", "question", "said", "never"),
    [
        ("demo-copd-01", "NEWS2多少分", "7 分", "NEWS2 为 9"),
        ("demo-copd-01", "step up his inhalers to triple when he leaves?", "eosinophils 0.34", "No: admit"),
        ("demo-viral-01", "does metformin go on in hospital?", "low threshold to hold", "proof of safety"),
        ("demo-cap-01", "Is ceftriaxone ok after his rash with penicillin?", "side chain", "No: avoid ceftriaxone"),
        ("demo-cap-01", "his lactate is 2.4, treat?", "actat", "levofloxacin"),
    ],
)
def test_the_answer_for_this_patient(case: str, question: str, said: str, never: str) -> None:
    found = judgements(question, Record(_case(case), GRAPH, question))
    text = " ".join(f"{e.text} {e.text_zh}" for e in found)
    assert said in text
    assert never not in text
