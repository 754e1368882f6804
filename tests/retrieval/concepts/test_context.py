"""Status of a finding in its sentence, English and Chinese, written by hand."""

import pytest

from retrieval.concepts.context import affirmed, clauses, sentences, statuses

CASES = [
    ("No pleural effusion.", "pleural effusion", {"negated"}),
    ("No pleural effusion, pneumothorax or consolidation.", "consolidation", {"negated"}),
    ("No pleural effusion, pneumothorax or consolidation.", "pneumothorax", {"negated"}),
    ("No effusion, large left pneumothorax.", "pneumothorax", set()),
    ("No effusion but a large left pneumothorax.", "pneumothorax", set()),
    ("There is no evidence of pulmonary embolism.", "pulmonary embolism", {"negated"}),
    ("Pulmonary embolism is excluded.", "Pulmonary embolism", {"negated"}),
    ("Pulmonary embolism cannot be excluded.", "Pulmonary embolism", {"uncertain"}),
    ("Cannot exclude a small pneumothorax.", "pneumothorax", {"uncertain"}),
    ("The nodule is no longer visible.", "nodule", {"negated", "historical"}),
    ("Right pleural effusion has resolved.", "pleural effusion", {"negated", "historical"}),
    ("Denies cough, fever, chest pain.", "chest pain", {"negated"}),
    ("He denies fever but has chest pain.", "chest pain", set()),
    ("History of asthma.", "asthma", {"historical"}),
    ("Tuberculosis in 1998.", "Tuberculosis", {"historical"}),
    ("Mother had lung cancer.", "lung cancer", {"family"}),
    ("Family history of emphysema.", "emphysema", {"family"}),
    ("Return if haemoptysis occurs.", "haemoptysis", {"hypothetical"}),
    ("What is the treatment of tension pneumothorax?", "tension pneumothorax", {"hypothetical"}),
    ("Tension pneumothorax, needle where?", "Tension pneumothorax", set()),
    ("tension pneumothorax with BP 70/40, what do I do", "tension pneumothorax", set()),
    ("?pneumonia", "pneumonia", {"uncertain"}),
    ("Probable pneumonia in the right lower lobe.", "pneumonia", {"uncertain"}),
    ("No change in the effusion.", "effusion", set()),
    ("Not only emphysema but also bronchiectasis.", "emphysema", set()),
    ("Non-small cell lung cancer.", "cell lung cancer", set()),
    ("The haemoptysis is not stopping.", "haemoptysis", set()),
    ("Massive haemoptysis: cannot speak", "haemoptysis", set()),
    ("未见胸腔积液、气胸。", "气胸", {"negated"}),
    ("未见明显胸腔积液，右肺下叶结节。", "结节", set()),
    ("否认高血压，糖尿病，冠心病。", "冠心病", {"negated"}),
    ("无发热，有咯血。", "咯血", set()),
    ("肺栓塞不除外。", "肺栓塞", {"uncertain"}),
    ("不能排除肺栓塞。", "肺栓塞", {"uncertain"}),
    ("已排除肺栓塞。", "肺栓塞", {"negated"}),
    ("考虑肺炎可能。", "肺炎", {"uncertain"}),
    ("父亲患肺癌。", "肺癌", {"family"}),
    ("肺癌家族史。", "肺癌", {"family"}),
    ("既往有哮喘病史。", "哮喘", {"historical"}),
    ("三年前气胸。", "气胸", {"historical"}),
    ("如出现大咯血立即就诊。", "大咯血", {"hypothetical"}),
    ("张力性气胸的治疗原则", "张力性气胸", {"hypothetical"}),
    ("大咯血，一小时500毫升", "大咯血", set()),
    ("非小细胞肺癌", "细胞肺癌", set()),
    ("胸腔积液已吸收。", "胸腔积液", {"negated", "historical"}),
    ("心影不大，双侧胸腔积液。", "胸腔积液", set()),
    ("左侧胸腔积液，肺栓塞阴性。", "肺栓塞", {"negated"}),
]


@pytest.mark.parametrize(("text", "mention", "expected"), CASES)
def test_status_of_a_mention(text: str, mention: str, expected: set[str]) -> None:
    at = text.index(mention)
    assert statuses(text, at, at + len(mention)) == expected
    assert affirmed(text, at, at + len(mention)) == (not expected)


def test_a_text_is_cut_into_sentences_and_clauses() -> None:
    text = "No effusion. Heart size 1.5 cm, normal; 右肺结节，未见积液。"
    assert [text[s.start : s.end].strip() for s in sentences(text)] == [
        "No effusion.",
        "Heart size 1.5 cm, normal;",
        "右肺结节，未见积液。",
    ]
    cut = [text[s.start : s.end].strip() for s in clauses(text)]
    assert cut[1:3] == ["Heart size 1.5 cm", "normal;"]
    assert cut[3:] == ["右肺结节", "未见积液。"]
