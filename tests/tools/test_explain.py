"""Calculators explain themselves; declared ones compute and explain from one table."""

import pytest

from tools.deps import Deps
from tools.scores.explain import explain, explaining_evidence
from tools.scores.expression import BadExpression, evaluate, names, parse
from tools.scores.registry import calculators, find
from tools.scores.run import run
from tools.scores.spec import Spec, specs, to_calculator
from tools.scores.tool import calculate_score

DECLARED = Spec.model_validate(
    {
        "name": "demo_rate",
        "en": "demo rate score",
        "zh": "示例评分",
        "population_en": "adults",
        "population_zh": "成人",
        "source": {"title": "A test", "year": 2026},
        "inputs": ["heart_rate", "ph", "age"],
        "own_inputs": [{"key": "on_niv", "en": "on NIV", "zh": "无创通气", "kind": "flag"}],
        "items": [
            {
                "key": "heart_rate",
                "en": "heart rate",
                "zh": "心率",
                "steps": [
                    {"when": "heart_rate > 120", "points": 2, "en": "> 120 /min", "zh": "> 120 /min"},
                    {"when": "heart_rate > 100", "points": 1, "en": "101 to 120 /min", "zh": "101–120 /min"},
                ],
            },
            {"key": "acid", "en": "pH < 7.25", "zh": "pH < 7.25", "when": "ph < 7.25 or on_niv and age >= 80", "points": 4},
        ],
        "bands": [
            {"to": 3, "en": "low", "zh": "低", "meaning_en": "stay", "meaning_zh": "继续"},
            {"from": 4, "en": "high", "zh": "高"},
        ],
    }
)


def test_a_declared_score_computes_and_widens_for_unknown_inputs() -> None:
    calculator = to_calculator(DECLARED)
    whole = run(calculator, None, {"heart_rate": "110", "ph": "7.2"})
    assert (whole.value, whole.band) == (5, ("high", "高"))
    assert run(calculator, None, {"heart_rate": "90", "ph": "7.4", "on_niv": "no"}).band == ("low (stay)", "低（继续）")
    part = run(calculator, None, {"heart_rate": "121"})
    assert (part.value, part.low, part.high, set(part.missing)) == (None, 2, 6, {"ph", "on_niv", "age"})


def test_a_spec_that_names_an_unknown_input_is_refused() -> None:
    row = DECLARED.model_dump(by_alias=True)
    with pytest.raises(ValueError, match="not inputs"):
        Spec.model_validate(row | {"items": [{"key": "x", "en": "x", "zh": "x", "when": "lactate > 2"}]})


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        (
            "(140 - age) * weight / (72 * cr) * (0.85 if sex == 'female' else 1)",
            {"age": 60.0, "weight": 72.0, "cr": 1.0, "sex": "female"},
            68,
        ),
        ("a > 1 or b", {"a": 2.0}, True),
        ("a > 1 or b", {"a": 0.0}, None),
        ("a > 1 and b", {"a": 0.0}, False),
        ("10 <= a < 20", {"a": 20.0}, False),
        ("a / b", {"a": 1.0, "b": 0.0}, None),
        ("max(a, 2) ** 2 - log(100)", {"a": 3.0}, 7),
    ],
)
def test_expressions(text: str, values: dict, expected: object) -> None:
    assert evaluate(text, values) == (pytest.approx(expected) if isinstance(expected, int) and not isinstance(expected, bool) else expected)


@pytest.mark.parametrize("text", ["__import__('os')", "a.b", "[1]", "a if", "f(a)", "lambda: 1"])
def test_nothing_else_is_an_expression(text: str) -> None:
    with pytest.raises(BadExpression):
        parse(text)


def test_names_are_the_inputs() -> None:
    assert names("max(age, 18) + 2 * urea > age") == ("age", "urea")


@pytest.mark.parametrize("name", sorted(calculators()))
def test_every_calculator_explains_itself_in_both_languages(name: str) -> None:
    c, e = calculators()[name], explain(name)
    assert e.items or e.formula
    assert e.population
    assert e.population_zh
    assert e.source
    assert bool(e.formula) == bool(e.formula_zh)
    for item in () if name in specs() else c.items:
        points = [r.points for r in e.items if r.key == item.id and r.points is not None]
        # The points that it names are those that the code can give.
        assert not points or (max(points) == max(item.high, 0) or min(points) == item.low), item.id
        assert all(item.low <= p <= item.high for p in points), item.id
    shown = explaining_evidence(e)
    assert {x.key for x in shown} >= {f"S-{name}-items"} if e.items else {f"S-{name}-formula"}
    assert all(x.text and x.text_zh and "None" not in x.text for x in shown)


@pytest.mark.parametrize(
    ("name", "given", "points"),
    [
        (
            "news2",
            {"respiratory_rate": "24", "spo2": "93", "fio2": "0.21", "sbp": "105", "heart_rate": "45", "gcs": "15", "temperature": "38.5"},
            7,
        ),
        ("revised_geneva", {"heart_rate": "75"}, None),
        ("cha2ds2_vasc", {"age": "74"}, None),
    ],
)
def test_steps_that_are_told_are_steps_that_are_scored(name: str, given: dict[str, str], points: float | None) -> None:
    outcome = run(find(name), None, given)
    scored = {x.item.id: x.points for x in outcome.components if x.points is not None}
    told = {(r.key, r.points) for r in explain(name).items}
    assert all((key, p) in told or p == 0 for key, p in scored.items())
    assert points is None or outcome.value == points


def test_bands_say_where_they_begin(tmp_path) -> None:
    texts = {n: next(x.text for x in explaining_evidence(explain(n)) if x.key.endswith("-bands")) for n in ("curb_65", "wells_pe", "bmi")}
    assert "≥ 3: high severity" in texts["curb_65"]
    assert "2: intermediate" in texts["curb_65"]
    assert "> 4: pulmonary embolism likely" in texts["wells_pe"]
    assert "18.5 to < 25: normal" in texts["bmi"]
    pressure = next(x.text for x in explaining_evidence(explain("driving_pressure")) if x.key.endswith("-bands"))
    assert "≤ 15: at most" in pressure
    assert "> 15: above" in pressure


def test_without_a_case_and_inputs_the_tool_explains(tmp_path) -> None:
    deps = Deps(cache_dir=tmp_path, case=None, language="en")
    result = calculate_score(deps, "CURB-65")
    assert result.status == "ok"
    assert result.evidence[0].key == "S-curb_65-items"
    assert calculate_score(deps, "curb_65", {"age": "80"}).evidence[0].key == "S-curb_65"
    assert calculate_score(deps, "curb_65", {"age": "80"}, explain=True).evidence[0].key == "S-curb_65-items"
