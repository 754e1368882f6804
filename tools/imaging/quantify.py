"""Tool `quantify_ct`: the lungs of a CT study in figures, as evidence; needs no model."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from medmpt_backend.imaging.findings.groups import PleuraGroup
from medmpt_backend.messages import joined
from retrieval.messages.catalogue import messages
from tools.deps import Deps
from tools.evidence import Evidence, Quantity, ToolResult, Validity
from tools.imaging.marks.evidence import marked
from tools.imaging.marks.mark import Mark
from tools.imaging.marks.statements import mark_rows
from tools.imaging.model_card import NO_STUDY
from tools.imaging.results.experimental import asked_for
from tools.imaging.results.measured import Measured
from tools.imaging.studies import study_of
from tools.quantities import fill

both = messages("tools.imaging").pair

if TYPE_CHECKING:
    from medmpt_backend.imaging.quantify import Quantification

_SIDE = messages("tools.imaging").table("quantify_side")
_THIRD = {"upper": both("upper"), "middle": both("middle"), "lower": both("lower")}
# From here dense lung leads what a scan shows; less is a nodule or vessels.
LEAST_DENSE_ML = 10.0
_CAPITAL = {"left": "Left", "right": "Right"}
_FORM = {
    "free": both("free fluid"),
    "loculated": both("loculated fluid"),
    "both": both("partly loculated fluid"),
    "unknown": both("too little to say whether it is free or loculated"),
}
_SLICE = {
    "largest_lungs": both("largest lung area"),
    "carina": both("carina"),
    "most_emphysema": both("most emphysema"),
    "most_ground_glass": both("most ground glass"),
    "most_effusion": both("most pleural fluid"),
    "most_pneumothorax": both("most air in the pleural space"),
    "most_consolidation": both("most consolidation"),
    "most_coronary_calcium": both("most calcium of the heart (experimental)"),
    "most_aortic_calcium": both("most calcium of the aorta (experimental)"),
}


def quantify_ct(deps: Deps, study: str = "ct-1") -> ToolResult:
    """Measure both lungs of a CT study: volumes, densities, thirds and key slices; no model is needed."""
    if not deps.studies:
        return ToolResult(tool="quantify_ct", status="empty", reason=NO_STUDY, query={"study": study}, missing=("CT study",))
    opened = study_of(deps, study)
    from medmpt_backend.errors import BackendError

    kept = marked(deps, study)
    try:
        found = opened.measured
    except BackendError as error:
        return ToolResult(
            tool="quantify_ct",
            status="partial" if kept.marks else error.status,
            reason=str(error),
            query={"study": study},
            warnings=kept.warnings,
            missing=kept.missing,
            evidence=kept.evidence,
        )
    return ToolResult(
        tool="quantify_ct",
        status=found.status,
        reason=joined(limit.reason for limit in found.limits) or None,
        query={"study": study},
        counts={"slices": found.slices},
        warnings=(*found.warnings, *kept.warnings),
        missing=kept.missing,
        evidence=(*_ordered(found, study), *_slices(found, study), *kept.evidence, *asked_for(found, study, deps.question, opened)),
        data=payload(found, kept.marks),
    )


def _ordered(found: "Quantification", study: str) -> list[Evidence]:
    """Volume, then what a reader asks for first: pleura, dense lung, shares of density and where they are highest."""
    volume, *figures = _figures(found, study)
    pleura = _pleura(found, study)
    seen = [e for e in pleura if e.present]
    return [*seen, volume, *(e for e in pleura if e not in seen), *figures, *_regions(found, study)]


def _evidence(
    study: str, name: str, en: str, zh: str, known: tuple[Quantity, ...], validity: Validity | None = "in", **more: object
) -> Evidence:
    record: dict[str, object] = {
        "key": f"CT-{study}-{name}",
        "kind": "ct",
        "text": en,
        "text_zh": zh,
        "source": f"quantitative CT of {study}",
        "validity": validity,
        "quantities": fill(known, en, zh),
        "subjects": (name.replace("_", " "), "lung", study),
        **more,
    }
    return Evidence.model_validate(record)


def _shares(q: "Quantification", study: str) -> list[Evidence]:
    """Shares of the lungs in ranges of density."""
    f, out = q.lungs, []
    rows = (
        (
            "laa950_pct",
            *both("Emphysema index LAA-950"),
            *both("of the lungs lies below -950 HU"),
            f.laa950_pct,
        ),
        (
            "haa_pct",
            *both("High-attenuation areas"),
            *both("of the lungs lies from -600 to -250 HU"),
            f.haa_pct,
        ),
        ("ggo_pct", *both("Ground-glass density"), *both("of the lungs"), f.ggo_pct),
        (
            "consolidation_pct",
            *both("Consolidation density inside the lung mask"),
            *both("of the lungs; dense disease that touches the chest wall lies outside the mask, so this is a lower bound"),
            f.consolidation_pct,
        ),
    )
    for name, en, zh, tail, tail_zh, value in rows:
        validity = q.validity(name)
        note, note_zh = ("", "") if validity == "in" else both(" (outside the domain of the method)")
        if validity == "unknown":
            note, note_zh = both(" (domain of the method not certain)")
        out.append(
            _evidence(
                study,
                name,
                f"{en}: {value:.1f}% {tail}{note}.",
                f"{zh}：{value:.1f}% {tail_zh}{note_zh}。",
                (Quantity(name=name, value=value, unit="%", decimals=1),),
                validity,
            )
        )
    return out


def _figures(q: "Quantification", study: str) -> list[Evidence]:
    f = q.lungs
    litre = [("lungs_total_l", f.total_l), ("lungs_left_l", f.left_l), ("lungs_right_l", f.right_l)]
    out = [
        _evidence(
            study,
            "volume",
            *both(
                "The lungs measure {total_l:.2f} L in total: left {left_l:.2f} L, right {right_l:.2f} L.",
                total_l=f.total_l,
                left_l=f.left_l,
                right_l=f.right_l,
            ),
            tuple(Quantity(name=n, value=v, unit="L", decimals=2) for n, v in litre),
            q.validity("total_l"),
        )
    ]
    out += _shares(q, study)
    density = (("mean_hu", f.mean_hu), ("median_hu", f.median_hu), ("perc15_hu", f.perc15_hu))
    out.append(
        _evidence(
            study,
            "density",
            *both(
                "Lung density: mean {mean_hu:.0f} HU, median {median_hu:.0f} HU, 15th percentile {perc15_hu:.0f} HU.",
                mean_hu=f.mean_hu,
                median_hu=f.median_hu,
                perc15_hu=f.perc15_hu,
            ),
            tuple(Quantity(name=n, value=v, unit="HU", decimals=0) for n, v in density),
            q.validity("mean_hu"),
        )
    )
    return out


def _regions(q: "Quantification", study: str) -> list[Evidence]:
    """The region with most of each kind of density; all six stand in `data`."""
    out = []
    for name, en, zh in (
        ("laa950_pct", *both("Emphysema density is highest")),
        ("ggo_pct", *both("Ground-glass density is highest")),
        ("consolidation_pct", *both("Consolidation density is highest")),
    ):
        known = [(getattr(r, name), r) for r in q.regions if getattr(r, name) is not None]
        if not known:
            continue
        value, r = max(known, key=lambda pair: pair[0])
        if value < 1.0:
            continue
        third, third_zh = _THIRD[r.third]
        out.append(
            _evidence(
                study,
                f"{name}_region",
                *both(
                    "{text} in the {third} third of the {side} lung at {value:.1f}%.",
                    value=value,
                    third=(third, third_zh),
                    text=(en, zh),
                    side=(r.side, _SIDE[r.side]),
                ),
                (Quantity(name=f"{name}_region", value=value, unit="%", decimals=1),),
                q.validity(name),
                side=r.side,
            )
        )
    return out


def _pleura(q: "Quantification", study: str) -> list[Evidence]:
    """Fluid, air and dense lung as measured; experimental groups stand in `data` alone."""
    f = q.findings
    out = []
    for name, group, en, zh in (
        ("effusion", f.effusion, *both("Pleural fluid")),
        ("pneumothorax", f.pneumothorax, *both("Air in the pleural space")),
    ):
        if group.left_ml is None or group.right_ml is None:
            continue
        if group.left_ml == group.right_ml == 0 and group.validity == "in":
            out.append(_none_of(study, name))
            continue
        left, right = round(group.left_ml), round(group.right_ml)
        note, note_zh = ("", "") if group.validity == "in" else both(" (domain of the method not certain)")
        text, text_zh = both(
            "{text}, measured: left {left} mL, right {right} mL{note}.", left=left, right=right, note=(note, note_zh), text=(en, zh)
        )
        kind, kind_zh = _form(group)
        text, text_zh = text + kind, text_zh + kind_zh
        known = (
            *(Quantity(name=f"{name}_{side}_hu", value=hu, unit="HU", decimals=0) for side, hu in _densities(group)),
            Quantity(name=f"{name}_left_ml", value=left, unit="mL", decimals=0),
            Quantity(name=f"{name}_right_ml", value=right, unit="mL", decimals=0),
        )
        out.append(_evidence(study, name, text, text_zh, known, group.validity, present=group.validity == "in" or None))
    if f.consolidation.ml is not None and f.consolidation.ml >= 1:
        ml = f.consolidation.ml
        left, right = round(f.consolidation.left_ml or 0.0), round(f.consolidation.right_ml or 0.0)
        text, text_zh = both(
            "Dense lung (consolidation, collapse or mass) measures {ml:.0f} mL (left {left} mL, right {right} mL), "
            "tissue at chest wall and hilum included.",
            ml=ml,
            left=left,
            right=right,
        )
        amount = (
            Quantity(name="consolidation_ml", value=ml, unit="mL", decimals=0),
            Quantity(name="consolidation_left_ml", value=left, unit="mL", decimals=0),
            Quantity(name="consolidation_right_ml", value=right, unit="mL", decimals=0),
        )
        seen = True if f.consolidation.validity == "in" and ml >= LEAST_DENSE_ML else None
        out.append(_evidence(study, "consolidation_ml", text, text_zh, amount, f.consolidation.validity, present=seen))
    return out


def _none_of(study: str, name: str) -> Evidence:
    """That no fluid or air was measured, and how much may be missed."""
    from medmpt_backend.imaging.draft.labels import table

    limits = table()["labels"]
    least = float(limits["least_fluid_ml"] if name == "effusion" else limits["least_air_ml"])
    known = (
        Quantity(name=f"{name}_left_ml", value=0, unit="mL", decimals=0),
        Quantity(name=f"{name}_right_ml", value=0, unit="mL", decimals=0),
        Quantity(name=f"least_{name}_ml", value=least, unit="mL", decimals=0),
    )
    if name == "effusion":
        said = both("No pleural fluid was measured on either side (0 mL); less than about {least:.0f} mL may be missed.", least=least)
    else:
        said = both(
            "No air in the pleural space was measured on either side (0 mL); less than about {least:.0f} mL may be missed.", least=least
        )
    return _evidence(study, name, *said, known, present=False)


def _densities(group: PleuraGroup) -> list[tuple[str, float]]:
    """Density of the fluid by side."""
    return [(side, hu) for side, hu in (("left", group.left_hu), ("right", group.right_hu)) if hu is not None]


def _form(group: PleuraGroup) -> tuple[str, str]:
    """Form and density of the fluid of either side, as sentences."""
    out = "", ""
    for side, hu in _densities(group):
        form = group.left_form if side == "left" else group.right_form
        here = both(" {side}: {form}, mean {hu:.0f} HU.", side=(_CAPITAL[side], _SIDE[side]), form=_FORM[form or "unknown"], hu=hu)
        out = out[0] + here[0], out[1] + here[1]
    return out


def _slices(q: "Quantification", study: str) -> list[Evidence]:
    out = []
    for name, k in q.key_slices.items():
        en, zh = _SLICE.get(name, (name.replace("_", " "), name))
        out.append(
            _evidence(
                study,
                f"slice_{name}",
                *both(
                    "Slice {index} shows the {text}, {position_mm:.0f} mm below the first slice.",
                    index=k.index,
                    position_mm=k.position_mm,
                    text=(en, zh),
                ),
                (
                    Quantity(name="slice", value=k.index, decimals=0),
                    Quantity(name="position_mm", value=k.position_mm, unit="mm", decimals=0),
                ),
                None,
                locator=f"{study} slice {k.index}",
            )
        )
    return out


def payload(q: "Quantification", marks: Iterable[Mark] = ()) -> Measured:
    """The contract's object of `ct quantify`, and the marks of the study."""
    return Measured(**q.fields(), marks=mark_rows(marks))
