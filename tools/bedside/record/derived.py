"""Amounts worked out from the body of the patient: mg or mL per kg, tidal volumes, the water that a raised sodium lacks."""

import re

from tools.bedside.record.values import Value, labs_of
from tools.case.record import Case

# Share of the weight that is water (Adrogue and Madias 2000), by sex and from 65 years on.
_WATER = {("male", False): 0.6, ("male", True): 0.5, ("female", False): 0.5, ("female", True): 0.45}
# Pleural fluid over serum.
_RATIOS = {"ratio_protein": ("pleural_protein", "total_protein"), "ratio_ldh": ("pleural_ldh", "ldh")}
# Amounts per kg of weight and the unit that is written.
_PER_KG = re.compile(r"(mgkg|mlkg|perkg)_(\d+(?:p\d+)?)")
_UNITS = {"mgkg": " mg", "mlkg": " mL", "perkg": ""}
_TIDAL = {f"tv_{n}": n for n in (4, 5, 6, 7, 8)}
# Predicted weight at 152.4 cm and per cm beyond it (ARDS Network 2000), by sex.
_PREDICTED = {"male": 50.0, "female": 45.5}
_PER_CM, _FROM_CM = 0.91, 152.4
# Below this an adult's formula does not hold.
_LEAST_CM = 140
_OLD = 65
_NORMAL_SODIUM = 140.0


def derived(name: str, case: Case) -> Value | None:
    """An amount by name; None for other names or missing inputs.

    `mgkg_15`: 15 mg per kg of weight (`mgkg_0p5`: 0.5), `mlkg_10` in mL, `perkg_80` without a unit;
    `tv_6`: 6 mL per kg of predicted weight; `water_deficit`: litres of free water; `ratio_ldh`.
    """
    per_kg = _PER_KG.fullmatch(name)
    if per_kg is not None:
        return _per_kg(case, float(per_kg[2].replace("p", ".")), per_kg[1])
    if name in _TIDAL:
        return _tidal(case, _TIDAL[name])
    if name in _RATIOS:
        return _ratio(case, *_RATIOS[name])
    return _water_deficit(case) if name == "water_deficit" else None


def _ratio(case: Case, above: str, below: str) -> Value | None:
    labs = labs_of(case)
    top, bottom = labs.get(above), labs.get(below)
    if top is None or bottom is None or top.canonical is None or not bottom.canonical:
        return None
    return Value(top.canonical / bottom.canonical, f"{top.canonical / bottom.canonical:.2f}")


def _per_kg(case: Case, amount: float, kind: str) -> Value | None:
    weight = case.patient.weight_kg
    return None if weight is None else Value(amount * weight, f"{amount * weight:.0f}{_UNITS[kind]}")


def _tidal(case: Case, per_kg: int) -> Value | None:
    height, start = case.patient.height_cm, _PREDICTED.get(case.patient.sex)
    if height is None or start is None or height < _LEAST_CM:
        return None
    volume = per_kg * (start + _PER_CM * (height - _FROM_CM))
    return Value(volume, f"{volume:.0f} mL")


def _water_deficit(case: Case) -> Value | None:
    sodium, weight = labs_of(case).get("sodium"), case.patient.weight_kg
    share = _WATER.get((case.patient.sex, (case.patient.age_years or 0) >= _OLD))
    if sodium is None or sodium.canonical is None or weight is None or share is None or sodium.canonical <= _NORMAL_SODIUM:
        return None
    litres = share * weight * (sodium.canonical / _NORMAL_SODIUM - 1)
    return Value(litres, f"{litres:.1f} L")
