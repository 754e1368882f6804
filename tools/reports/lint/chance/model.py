"""The fitted model: weights of signs and rules, as data (`chance.json`), and what follows from them."""

import json
import math
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from tools.reports.lint.chance.signs import Report, rule_of, signs
from tools.reports.lint.remarks import Remark


@dataclass(frozen=True)
class Model:
    """Weights of the logistic model.

    Attributes:
        bias: Log-odds of a remark without any sign.
        signs: Weight by sign.
        rules: Weight by rule; a rule that was never seen has none.
        limit: A remark below this chance is only worth a look.
    """

    bias: float
    signs: dict[str, float]
    rules: dict[str, float]
    limit: float

    def chance(self, rule: str, seen: dict[str, float]) -> float:
        """How likely a remark of this rule with these signs is right."""
        odds = self.bias + self.rules.get(rule, 0.0) + sum(self.signs.get(name, 0.0) * value for name, value in seen.items())
        return 1.0 / (1.0 + math.exp(-odds))


@cache
def model() -> Model:
    """The model that is shipped."""
    return Model(**json.loads((files("tools") / "data" / "reports" / "chance.json").read_text(encoding="utf-8")))


def rated(remarks: list[Remark], report: Report) -> tuple[Remark, ...]:
    """Remarks with their chance."""
    return tuple(replace(r, chance=round(model().chance(rule_of(r), signs(r, report)), 3)) for r in remarks)
