"""What to take instead of a drug, and what speaks for one (`data/bedside/alternatives.toml`, pregnancy facts of the drug graph)."""

import tomllib
from functools import cache
from importlib.resources import files

from tools.bedside.judging import Applied
from tools.bedside.record.conditioned import Conditioned
from tools.bedside.record.expression import holds
from tools.bedside.record.view import Record
from tools.bedside.record.wording import write


class Alternative(Conditioned):
    """What to take instead of a drug (`a;@group`) under a record condition."""

    drugs: str


@cache
def alternatives() -> tuple[Alternative, ...]:
    """All rows in order."""
    text = (files("tools") / "data" / "bedside" / "alternatives.toml").read_text(encoding="utf-8")
    return tuple(Alternative.model_validate(row) for row in tomllib.loads(text)["alternative"])


@cache
def supports() -> tuple[Alternative, ...]:
    """All rows in order."""
    text = (files("tools") / "data" / "bedside" / "alternatives.toml").read_text(encoding="utf-8")
    return tuple(Alternative.model_validate(row) for row in tomllib.loads(text)["support"])


def support(drug: str, record: Record) -> tuple[str, str] | None:
    """What speaks for a drug that nothing speaks against: the first row that holds."""
    applied = Applied(record, {}, {})
    row = next((a for a in supports() if drug in record.members(a.drugs) and holds(a.test, applied) is True), None)
    return None if row is None else (write(row.en, applied, "en"), write(row.zh, applied, "zh"))


def in_pregnancy(drug: str, record: Record) -> tuple[str, str] | None:
    """What the drug graph says of a compatible drug in pregnancy, for a pregnant patient."""
    if record.notion("pregnant") is not True:
        return None
    facts = [f for f in record.graph.facts((drug,), ("pregnancy",)) if f.severity is None and "may be used" in f.text]
    return (facts[0].text, facts[0].text_zh) if facts else None


def alternative(drug: str, record: Record) -> tuple[str, str] | None:
    """What to take instead of a drug here, in both languages; None where no row says."""
    applied = Applied(record, {}, {})
    row = next((a for a in alternatives() if drug in record.members(a.drugs) and holds(a.test, applied) is True), None)
    return None if row is None else (write(row.en, applied, "en"), write(row.zh, applied, "zh"))
