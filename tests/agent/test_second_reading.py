"""The second reading of claims: its signs one by one, what always stands, and the data it is fitted on."""

from pathlib import Path

import pytest

from agent.errors import BadInput
from agent.training.fit_opinion import Claim, fit, folder, perturbed, read_pairs
from agent.verify.opinion.bonds import bonds
from agent.verify.opinion.figures import figures
from agent.verify.opinion.model import Weights, stands, weights
from agent.verify.opinion.signs import signs
from tools.evidence import Evidence

DOSES = "Apixaban 5 mg twice daily is used above 60 kg; dabigatran 110 mg twice daily is used from 80 years of age."


def _evidence(text: str, text_zh: str | None = None) -> Evidence:
    return Evidence(key="G-1", kind="guideline", text=text, text_zh=text_zh, source="own")


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ("The dose is 5 mg.", "exact"),
        ("In all 10 mg a day are taken.", "multiple"),
        ("It is used at 72 kg.", "instance"),
        ("Three drugs are named.", "count"),
        ("The dose is 900 µg/kg.", "absent unit"),
    ],
)
def test_where_a_number_comes_from(claim: str, kind: str) -> None:
    assert figures(claim, [DOSES], [_evidence(DOSES)]) == {f"figure {kind}": 1.0}


def test_a_change_is_a_difference() -> None:
    told = "Urea is 11.2 mmol/L, before 6.1 mmol/L."
    assert figures("Urea has risen by 5.1 mmol/L.", [told], [_evidence(told)]) == {"figure difference": 1.0}


def test_a_dose_given_to_the_other_drug_has_a_weaker_bond() -> None:
    right = bonds("Dabigatran is given as 110 mg.", [DOSES])
    wrong = bonds("Dabigatran is given as 5 mg.", [DOSES])
    assert right["bond clause lead"] == 0.0 < wrong["bond clause lead"]


def test_a_word_of_the_contrary_is_a_sign() -> None:
    cited = [_evidence("Smoking shortens survival.", "吸烟缩短生存时间。")]
    assert signs("Smoking prolongs survival.", cited, None)["contrary here"] > signs("Smoking shortens life.", cited, None)["contrary here"]
    assert signs("吸烟延长生存。", cited, None)["contrary here"] > 0.0


def test_some_objections_stand_whatever_the_doubt() -> None:
    cited = [_evidence(DOSES)]
    for claim in ("Apixaban 7.5 mg twice daily is used above 60 kg.", "Rivaroxaban is used above 60 kg."):
        assert stands(claim, cited, "some objection", signs(claim, cited, "some objection"))


def test_doubt_grows_with_what_speaks_against_a_claim() -> None:
    model = Weights(-1.0, {"objection": 2.0}, 0.4, 0.8)
    assert model.doubt({}) < 0.4 < model.doubt({"objection": 1.0}) < 0.8


def test_no_sign_against_a_claim_speaks_for_it_in_the_shipped_weights() -> None:
    shipped = weights()
    assert 0.0 < shipped.low < shipped.high < 1.0
    assert not [n for n, w in shipped.of.items() if n.startswith(("rule ", "objection", "contrary", "missing")) and w < 0]


def test_a_fit_learns_the_sign_that_divides_and_keeps_its_bounds() -> None:
    claims = [Claim("x", (), fault=i % 2 == 0) for i in range(40)]
    found = [{"rule a": float(c.fault), "rule b": float(not c.fault)} for c in claims]
    held = fit(claims, found)["weights"]
    assert isinstance(held, dict)
    assert held["rule a"] > 0
    assert "rule b" not in held


def test_the_pairs_of_the_package_are_read(tmp_path: Path) -> None:
    claims = read_pairs(folder() / "pairs.txt")
    assert len(claims) > 1400
    assert len({c.text for c in claims}) > 1400
    assert all(c.evidence for c in claims)
    broken = tmp_path / "pairs.txt"
    broken.write_text("s a claim without evidence\n", encoding="utf-8")
    with pytest.raises(BadInput, match="line 1"):
        read_pairs(broken)


def test_perturbed_passages_hold_both_kinds_and_both_languages() -> None:
    made = perturbed(set(), 16)
    assert {c.fault for c in made} == {True, False}
    assert any(c.text.isascii() for c in made)
    assert any(not c.text.isascii() for c in made)
    assert [c.text for c in made] == [c.text for c in perturbed(set(), 16)]
