"""Amounts worked out from the body of the patient: mg per kg, the water that a raised sodium lacks."""

from tools.bedside.record.values import Value, labs_of
from tools.case.record import Case

# Share of the weight that is water (Adrogue and Madias 2000), by sex and from 65 years on.
_WATER = {("male", False): 0.6, ("male", True): 0.5, ("female", False): 0.5, ("female", True): 0.45}
# Pleural fluid over serum.
_RATIOS = {"ratio_protein": ("pleural_protein", "total_protein"), "ratio_ldh": ("pleural_ldh", "ldh")}
# Amounts per kg of weight: the unit that is written.
_PER_KG = {"mgkg": " mg", "perkg": ""}
_OLD = 65
_NORMAL_SODIUM = 140.0


def derived(name: str, case: Case) -> Value | None:
    """`mgkg_15`: 15 mg per kg of weight, `perkg_80` without a unit; `water_deficit`; `ratio_ldh`. None for other names or missing inputs."""
    kind, _, amount = name.partition("_")
    if kind in _PER_KG and amount.isdigit():
        return _per_kg(case, int(amount), _PER_KG[kind])
    if name in _RATIOS:
        return _ratio(case, *_RATIOS[name])
    return _water_deficit(case) if name == "water_deficit" else None


def _ratio(case: Case, above: str, below: str) -> Value | None:
    labs = labs_of(case)
    top, bottom = labs.get(above), labs.get(below)
    if top is None or bottom is None or top.canonical is None or not bottom.canonical:
        return None
    return Value(top.canonical / bottom.canonical, f"{top.canonical / bottom.canonical:.2f}")


def _per_kg(case: Case, amount: int, unit: str) -> Value | None:
    weight = case.patient.weight_kg
    return None if weight is None else Value(amount * weight, f"{amount * weight:.0f}{unit}")


def _water_deficit(case: Case) -> Value | None:
    sodium, weight = labs_of(case).get("sodium"), case.patient.weight_kg
    share = _WATER.get((case.patient.sex, (case.patient.age_years or 0) >= _OLD))
    if sodium is None or sodium.canonical is None or weight is None or share is None or sodium.canonical <= _NORMAL_SODIUM:
        return None
    litres = share * weight * (sodium.canonical / _NORMAL_SODIUM - 1)
    return Value(litres, f"{litres:.1f} L")
