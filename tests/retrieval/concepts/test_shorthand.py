"""Short forms written out for the search; the words of a person stay as they are elsewhere."""

import pytest

from retrieval.concepts.lexicon import Lexicon
from retrieval.concepts.shorthand import forms, written_out
from retrieval.drugs.graph import DrugGraph
from retrieval.guidelines.question import understand


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("sats 82 on 15L NRB", "oxygen saturation 82 on 15 L/min oxygen high-concentration oxygen reservoir mask"),
        ("abx for pen allergic pt", "antibiotics for penicillin allergy patient"),
        ("FEV1 45% pred, on pred 5 mg", "FEV1 45% pred, on prednisolone 5 mg"),
        ("血氧饱和度88，血氧85", "血氧饱和度88，血氧饱和度85"),
        ("阿奇霉素换成阿奇", "阿奇霉素换成阿奇"),
        ("阿莫西林克拉维酸过敏，雷莫西尤单抗，改莫西", "阿莫西林克拉维酸过敏，雷莫西尤单抗，改莫西"),
        ("抗利尿激素，吸入激素", "抗利尿激素，吸入糖皮质激素"),
        ("PT 18 s, pt on a P-gp inhibitor and 5-FU", "prothrombin time 18 s, patient on a P-glycoprotein inhibitor and fluorouracil"),
        ("4 METs, brain mets, DEXA scan, 8 mm cf 4 mm", "4 metabolic equivalents, brain metastases, DEXA scan, 8 mm cf 4 mm"),
        ("tumour lysis, lytic lesion, on levo 0.2 mcg/kg/min", "tumour lysis, lytic lesion, on levo 0.2 mcg/kg/min"),
        ("肺泡-动脉氧分压差，脉氧88，氧饱和度90", "肺泡-动脉氧分压差，血氧饱和度88，血氧饱和度90"),
        ("SMART-COP in COP, CAM-ICU, co-amoxiclav", "SMART-COP in organising pneumonia, CAM-ICU, co-amoxiclav"),
        ("the vancouver patient was lysosomal", "the vancouver patient was lysosomal"),
    ],
)
def test_written_out(said: str, read: str) -> None:
    """Whole words only, never where the long form or another meaning stands."""
    assert written_out(said)[0] == read


def test_once_is_enough() -> None:
    """Writing out what is written out changes nothing."""
    for form in forms().values():
        once = written_out(form.said)[0]
        assert written_out(once)[0] == once, form


def test_search_reads_the_long_form() -> None:
    """The tokens of a question in short forms are those of the long ones; what was read is told."""
    lexicon = Lexicon.load()
    short, long = (understand(t, lexicon, frozenset({"antibiotic"}), {}) for t in ("abx for CAP", "antibiotics for CAP"))
    assert short.tokens == long.tokens
    assert short.corrected == (("abx", "antibiotics"),)


def test_a_short_name_of_a_drug_stands_in_the_drug_table_alone() -> None:
    """What the drug table calls a drug is not written out a second time; a row that says more (its class) may stand."""
    known = {name.casefold(): drug for drug in DrugGraph.load().drugs() for name in drug.synonyms}
    twice = [
        f.said for f in forms().values() if (d := known.get(f.said.casefold())) and f.means.casefold() in (d.name.casefold(), d.name_zh)
    ]
    assert twice == []
