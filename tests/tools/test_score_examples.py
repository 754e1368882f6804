"""Worked examples of every calculator (`score_examples.toml`), and how many calculators there are."""

import tomllib
from pathlib import Path

import pytest

from tools.scores.explain import explain
from tools.scores.registry import calculators, find
from tools.scores.run import run
from tools.scores.spec import specs

EXAMPLES = tomllib.loads(Path(__file__).with_name("score_examples.toml").read_text(encoding="utf-8"))
CASES = [(name, row.get("base", ""), *example) for name, row in EXAMPLES.items() for example in row["examples"]]


def given(name: str, *texts: str) -> dict[str, str]:
    """Inputs of an example; a flag that it does not name is no."""
    named = dict(pair.split("=", 1) for text in texts for pair in text.split())
    return {f.key: "no" for f in find(name).fields if f.kind == "flag"} | named


@pytest.mark.parametrize(("name", "base", "inputs", "expected", "band"), CASES)
def test_worked_example(name: str, base: str, inputs: str, expected: float, band: str) -> None:
    outcome = run(find(name), None, given(name, base, inputs))
    assert not outcome.missing
    assert outcome.value == pytest.approx(expected, abs=0.06, rel=0.0006)
    if band:
        assert outcome.band is not None
        assert band in outcome.band[0]


def test_every_calculator_has_three_examples_and_two_bands_where_it_has_bands() -> None:
    assert set(EXAMPLES) == set(calculators())
    for name, row in EXAMPLES.items():
        assert len(row["examples"]) >= 3, name
        if len(explain(name).bands) > 1:
            assert len({band for _, _, band in row["examples"] if band}) >= 2, name


def test_counts() -> None:
    assert len(calculators()) >= 132
    assert len(specs()) >= 92


def test_names_and_aliases_mean_one_calculator_each() -> None:
    seen: dict[str, str] = {}
    for c in calculators().values():
        for word in {c.name, c.en, c.zh, *c.aliases}:
            folded = "".join(ch for ch in word.casefold() if ch.isalnum())
            assert seen.setdefault(folded, c.name) == c.name, (word, seen[folded], c.name)


def test_what_the_source_reports_for_the_exact_score() -> None:
    outcome = run(find("curb_65"), None, given("curb_65", "urea=8 age=70 respiratory_rate=31 sbp=120 dbp=70"))
    assert outcome.exact == ("30-day mortality about 14.5%", "30 天病死率约 14.5%")


def test_a_tree_says_what_it_still_needs() -> None:
    outcome = run(find("fleischner"), None, {"size": "7", "nodule_type": "solid"})
    assert outcome.value is None
    assert set(outcome.missing) == {"multiple", "high_risk"}
    assert run(find("esc_pe_risk"), None, {"unstable": "yes"}).missing == ()


def test_obesity_in_cockcroft_gault_names_the_weight() -> None:
    base = {"age": "60", "sex": "male", "weight": "100", "creatinine": "1.0mg/dL"}
    obese = run(find("cockcroft_gault"), None, base | {"height": "175"})
    assert obese.band is not None
    assert "adjusted" in obese.band[0]
    assert set(obese.extra) == {"clearance_actual", "clearance_ideal", "clearance_adjusted"}
    assert obese.extra["clearance_actual"] == pytest.approx(111.1, abs=0.06)
    unknown = run(find("cockcroft_gault"), None, base)
    assert unknown.value == pytest.approx(111.1, abs=0.06)
    assert unknown.band is not None
    assert "not judged" in unknown.band[0]
