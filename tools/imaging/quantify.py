"""Tool `quantify_ct`: the lungs of a CT study in figures, as evidence; needs no model."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from medmpt_backend.messages import joined
from retrieval.messages.catalogue import messages
from tools.deps import Deps
from tools.evidence import Evidence, Quantity, ToolResult, Validity
from tools.imaging.marks.evidence import marked
from tools.imaging.marks.mark import Mark
from tools.imaging.marks.statements import mark_rows
from tools.imaging.model_card import NO_STUDY
from tools.imaging.results.measured import Measured
from tools.imaging.studies import study_of
from tools.quantities import fill

both = messages("tools.imaging").pair

if TYPE_CHECKING:
    from medmpt_backend.imaging.quantify import Quantification

_SIDE = messages("tools.imaging").table("quantify_side")
_THIRD = {"upper": both("upper"), "middle": both("middle"), "lower": both("lower")}
_SLICE = {
    "largest_lungs": both("largest lung area"),
    "carina": both("carina"),
    "most_emphysema": both("most emphysema"),
    "most_ground_glass": both("most ground glass"),
    "most_effusion": both("most pleural fluid"),
    "most_pneumothorax": both("most air in the pleural space"),
    "most_consolidation": both("most consolidation"),
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
        evidence=(*_ordered(found, study), *_slices(found, study), *kept.evidence),
        data=payload(found, kept.marks),
    )


def _ordered(found: "Quantification", study: str) -> list[Evidence]:
    """Volume, then what a reader asks for first: pleura, dense lung, shares of density and where they are highest."""
    volume, *figures = _figures(found, study)
    return [volume, *_pleura(found, study), *figures, *_regions(found, study)]


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
        left, right = round(group.left_ml), round(group.right_ml)
        note, note_zh = ("", "") if group.validity == "in" else both(" (domain of the method not certain)")
        text, text_zh = both(
            "{text}, measured: left {left} mL, right {right} mL{note}.", left=left, right=right, note=(note, note_zh), text=(en, zh)
        )
        known = (
            Quantity(name=f"{name}_left_ml", value=left, unit="mL", decimals=0),
            Quantity(name=f"{name}_right_ml", value=right, unit="mL", decimals=0),
        )
        out.append(_evidence(study, name, text, text_zh, known, group.validity))
    if f.consolidation.ml is not None and f.consolidation.ml >= 1:
        ml = f.consolidation.ml
        text, text_zh = both("Dense lung (consolidation, collapse or mass) measures {ml:.0f} mL, tissue at the chest wall included.", ml=ml)
        amount = (Quantity(name="consolidation_ml", value=ml, unit="mL", decimals=0),)
        out.append(_evidence(study, "consolidation_ml", text, text_zh, amount, f.consolidation.validity))
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
