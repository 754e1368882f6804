"""From figures to labels: a label stands only where its method ran in its domain."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from medmpt_backend.imaging.findings.groups import ConsolidationGroup, PleuraGroup
from medmpt_backend.imaging.quantify import Quantification, RegionFigures
from medmpt_backend.messages import Said, messages

message = messages("medmpt_backend.imaging").said

# A side with less of the dense lung than this share is not named.
SIDE_SHARE = 0.2
_TABLE = Path(__file__).parent / "data" / "sentences.toml"
Word = float | str
_SIDES = {"right": message("right"), "left": message("left"), "both": message("right and left")}
_LUNGS = {"right": message("right lung"), "left": message("left lung")}
_THIRDS = {"upper": message("upper third"), "middle": message("middle third"), "lower": message("lower third")}
# Figures with more than no decimals.
_DECIMALS = {"emphysema_pct": 1, "ground_glass_pct": 1, "dense_pct": 1, "total_l": 2, "right_l": 2, "left_l": 2}
_UNITS = {"pct": "%", "ml": "mL", "l": "L", "hu": "HU"}


@dataclass
class Labels:
    """What was seen, in words and figures.

    Attributes:
        names: Labels that hold; `no_x` where x was looked for in its domain and not found.
        words: Figures and words for the sentences.
        outside: Findings that were not judged.
    """

    names: set[str] = field(default_factory=set)
    words: dict[str, Word] = field(default_factory=dict)
    outside: list[Said] = field(default_factory=list)

    def figures(self) -> list[tuple[str, float, str, int]]:
        """Every figure as name, value, unit and decimals."""
        return [
            (n, float(v), _UNITS.get(n.rsplit("_", 1)[-1], ""), _DECIMALS.get(n, 0))
            for n, v in self.words.items()
            if not isinstance(v, str)
        ]


@lru_cache(maxsize=1)
def table() -> Mapping[str, Any]:
    """The sentences and limits."""
    return tomllib.loads(_TABLE.read_text(encoding="utf-8"))


def labels_of(q: Quantification) -> Labels:
    """All labels of one study."""
    found = Labels()
    for name in ("total_l", "right_l", "left_l"):
        found.words[name] = getattr(q.lungs, name)
    cut = any(limit.cause == "partial_lungs" for limit in q.limits)
    found.names.add("one_lung" if q.absent_side else "cut_lungs" if cut else "volume")
    _smaller(found)
    _name_side(found, "one_lung", [q.absent_side] if q.absent_side else [])
    _pleura(found, q)
    _dense(found, q)
    _shares(found, q, cut)
    return found


def _smaller(found: Labels) -> None:
    """A lung that holds less air than its share of most people's."""
    if "volume" not in found.names:
        return
    right = 100 * float(found.words["right_l"]) / float(found.words["total_l"])
    found.words |= {"right_pct": right, "left_pct": 100 - right}
    limits = table()["labels"]
    for side, share in (("right", right), ("left", 100 - right)):
        if share < limits[f"{side}_lung_pct"]:
            found.names.add(f"smaller_{side}")


def _pleura(found: Labels, q: Quantification) -> None:
    """Fluid and air of the pleural space."""
    limits = table()["labels"]
    found.words["least_fluid"], found.words["least_air"] = limits["least_fluid_ml"], limits["least_air_ml"]
    fluid, air = q.findings.effusion, q.findings.pneumothorax
    if fluid.validity == "in":
        sides = _sides(fluid, limits["effusion_ml"])
        found.names |= (
            {f"effusion_{side}" for side in sides}
            | ({"effusion_one"} if len(sides) == 1 else set())
            | (set() if sides else {"no_effusion"})
        )
        for side in ("right", "left"):
            found.words[f"effusion_{side}_ml"] = _ml(fluid, side)
        found.words |= {"effusion_ml": sum(_ml(fluid, side) for side in sides), "effusion_slice": float(fluid.slice or 0)}
        _name_side(found, "effusion", sides)
        _name_form(found, fluid, sides)
    else:
        found.outside.append(message("pleural fluid"))
    if air.validity == "in":
        sides = _sides(air, limits["pneumothorax_ml"])
        found.names.add("pneumothorax" if sides else "no_pneumothorax")
        found.words |= {"pneumothorax_ml": sum(_ml(air, side) for side in sides), "pneumothorax_slice": float(air.slice or 0)}
        _name_side(found, "pneumothorax", sides)
    else:
        found.outside.append(message("air in the pleural space"))


def _name_form(found: Labels, fluid: PleuraGroup, sides: list[str]) -> None:
    """Form and density of the fluid, by side and of the one side."""
    for side in sides:
        form, hu = getattr(fluid, f"{side}_form"), getattr(fluid, f"{side}_hu")
        en, zh = table()["forms"][form or "unknown"]
        for name in (f"effusion_{side}", "effusion"):
            found.words |= {f"{name}_form_en": en, f"{name}_form_zh": zh, f"{name}_hu": float(hu or 0.0)}


def _ml(group: PleuraGroup | ConsolidationGroup, side: str) -> float:
    return float((group.right_ml if side == "right" else group.left_ml) or 0.0)


def _sides(group: PleuraGroup | ConsolidationGroup, least: float) -> list[str]:
    return [side for side in ("right", "left") if _ml(group, side) >= least]


def _name_side(found: Labels, name: str, sides: list[str]) -> None:
    side = _SIDES["both" if len(sides) == 2 else sides[0]] if sides else Said("", "")
    found.words |= {f"{name}_side_en": side, f"{name}_side_zh": side.zh}


def _dense(found: Labels, q: Quantification) -> None:
    """Dense lung."""
    group = q.findings.consolidation
    if group.validity != "in":
        found.outside.append(message("consolidation, collapse and mass"))
        return
    ml, limits = group.ml or 0.0, table()["labels"]
    if ml < limits["small_dense_ml"]:
        return
    index = q.key_slices["most_consolidation"].index if "most_consolidation" in q.key_slices else group.slice or 0
    found.names.add("dense" if ml >= limits["dense_ml"] else "small_dense")
    _name_side(found, "dense", _sides(group, SIDE_SHARE * ml))
    most = _third(q, "right" if (group.right_ml or 0.0) > (group.left_ml or 0.0) else "left", index)
    found.words |= {"dense_ml": ml, "dense_pct": group.pct or 0.0, "dense_slice": float(index)}
    found.words |= {"dense_most_en": most, "dense_most_zh": most.zh}


def _third(q: Quantification, side: Literal["left", "right"], index: int) -> Said:
    """In which third of a lung a slice lies, as a part of a sentence; nothing where the lung's ends are not known."""
    if side not in q.spans:
        return Said("", "")
    first, last = q.spans[side]
    third = ("upper", "middle", "lower")[max(0, min(2, 3 * (index - first) // (last - first + 1)))]
    return message(", most in the {third}", third=_THIRDS[third])


def _shares(found: Labels, q: Quantification, cut: bool) -> None:
    """Emphysema and ground glass."""
    limits = table()["labels"]
    if q.validity("laa950_pct") == "in" and not cut:
        share = q.lungs.laa950_pct
        found.names.add("emphysema" if share >= limits["emphysema_pct"] else "no_emphysema")
        found.words["emphysema_pct"] = share
        _place(found, "emphysema", q, "laa950_pct", "most_emphysema")
    else:
        found.outside.append(message("emphysema"))
    if q.validity("ggo_pct") == "in":
        if q.lungs.ggo_pct >= limits["ground_glass_pct"]:
            found.names.add("ground_glass")
            found.words["ground_glass_pct"] = q.lungs.ggo_pct
            _place(found, "ground_glass", q, "ggo_pct", "most_ground_glass")
    else:
        found.outside.append(message("ground glass"))


def _place(found: Labels, name: str, q: Quantification, figure: str, key: str) -> None:
    """Where most of it lies."""
    most: RegionFigures = max(q.regions, key=lambda r: getattr(r, figure) or 0.0)
    where = message("{third} of the {lung}", third=_THIRDS[most.third], lung=_LUNGS[most.side])
    found.words |= {f"{name}_where_en": where, f"{name}_where_zh": where.zh}
    if key in q.key_slices:
        found.words[f"{name}_slice"] = float(q.key_slices[key].index)
