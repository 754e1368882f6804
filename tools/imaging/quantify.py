"""Tool `quantify_ct`: the lungs of a CT study in figures, as evidence; needs no model."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from medmpt_backend.imaging.findings.groups import Point
from tools.deps import Deps
from tools.evidence import Evidence, Quantity, ToolResult, Validity
from tools.imaging.marks.evidence import marked
from tools.imaging.marks.mark import Mark
from tools.imaging.marks.statements import mark_rows
from tools.imaging.results.measured import Measured, SeriesRow
from tools.imaging.studies import study_of
from tools.quantities import fill

if TYPE_CHECKING:
    from medmpt_backend.imaging.quantify import Quantification

_SIDE = {"right": "右", "left": "左"}
_THIRD = {"upper": ("upper", "上"), "middle": ("middle", "中"), "lower": ("lower", "下")}
_SLICE = {
    "largest_lungs": ("largest lung area", "肺面积最大"),
    "carina": ("carina", "气管隆突"),
    "most_emphysema": ("most emphysema", "肺气肿最明显"),
    "most_ground_glass": ("most ground glass", "磨玻璃影最明显"),
    "most_effusion": ("most pleural fluid", "胸腔积液最明显"),
    "most_pneumothorax": ("most air in the pleural space", "胸膜腔积气最明显"),
    "most_consolidation": ("most consolidation", "实变最明显"),
}


def quantify_ct(deps: Deps, study: str = "ct-1") -> ToolResult:
    """Measure both lungs of a CT study: volumes, densities, thirds and key slices; no model is needed."""
    if not deps.studies:
        return ToolResult(
            tool="quantify_ct", status="empty", reason="the case has no CT study", query={"study": study}, missing=("CT study",)
        )
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
        reason="; ".join(limit.reason for limit in found.limits) or None,
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
            "Emphysema index LAA-950",
            "肺气肿指数 LAA-950",
            "of the lungs lies below -950 HU",
            "的肺组织低于 -950 HU",
            f.laa950_pct,
        ),
        (
            "haa_pct",
            "High-attenuation areas",
            "高衰减区",
            "of the lungs lies from -600 to -250 HU",
            "的肺组织介于 -600 至 -250 HU",
            f.haa_pct,
        ),
        ("ggo_pct", "Ground-glass density", "磨玻璃密度", "of the lungs", "的肺组织", f.ggo_pct),
        (
            "consolidation_pct",
            "Consolidation density inside the lung mask",
            "肺区内实变密度",
            "of the lungs; dense disease that touches the chest wall lies outside the mask, so this is a lower bound",
            "的肺组织；紧贴胸壁的致密病变不在肺区内，故此值为下限",
            f.consolidation_pct,
        ),
    )
    for name, en, zh, tail, tail_zh, value in rows:
        validity = q.validity(name)
        note, note_zh = ("", "") if validity == "in" else (" (outside the domain of the method)", "（超出方法适用范围）")
        if validity == "unknown":
            note, note_zh = " (domain of the method not certain)", "（适用范围不确定）"
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
            f"The lungs measure {f.total_l:.2f} L in total: left {f.left_l:.2f} L, right {f.right_l:.2f} L.",
            f"双肺总容积 {f.total_l:.2f} L：左肺 {f.left_l:.2f} L，右肺 {f.right_l:.2f} L。",
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
            f"Lung density: mean {f.mean_hu:.0f} HU, median {f.median_hu:.0f} HU, 15th percentile {f.perc15_hu:.0f} HU.",
            f"肺密度：平均 {f.mean_hu:.0f} HU，中位数 {f.median_hu:.0f} HU，第 15 百分位 {f.perc15_hu:.0f} HU。",
            tuple(Quantity(name=n, value=v, unit="HU", decimals=0) for n, v in density),
            q.validity("mean_hu"),
        )
    )
    return out


def _regions(q: "Quantification", study: str) -> list[Evidence]:
    """The region with most of each kind of density; all six stand in `data`."""
    out = []
    for name, en, zh in (
        ("laa950_pct", "Emphysema density is highest", "肺气肿密度最高处为"),
        ("ggo_pct", "Ground-glass density is highest", "磨玻璃密度最高处为"),
        ("consolidation_pct", "Consolidation density is highest", "实变密度最高处为"),
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
                f"{en} in the {third} third of the {r.side} lung at {value:.1f}%.",
                f"{zh}{_SIDE[r.side]}肺{third_zh}三分之一，{value:.1f}%。",
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
        ("effusion", f.effusion, "Pleural fluid", "胸腔积液"),
        ("pneumothorax", f.pneumothorax, "Air in the pleural space", "胸膜腔积气"),
    ):
        if group.left_ml is None or group.right_ml is None:
            continue
        left, right = round(group.left_ml), round(group.right_ml)
        note, note_zh = ("", "") if group.validity == "in" else (" (domain of the method not certain)", "（适用范围不确定）")
        text = f"{en}, measured: left {left} mL, right {right} mL{note}."
        text_zh = f"{zh}测量值：左侧 {left} mL，右侧 {right} mL{note_zh}。"
        known = (
            Quantity(name=f"{name}_left_ml", value=left, unit="mL", decimals=0),
            Quantity(name=f"{name}_right_ml", value=right, unit="mL", decimals=0),
        )
        out.append(_evidence(study, name, text, text_zh, known, group.validity))
    if f.consolidation.ml is not None and f.consolidation.ml >= 1:
        ml = f.consolidation.ml
        text = f"Dense lung (consolidation, collapse or mass) measures {ml:.0f} mL, tissue at the chest wall included."
        text_zh = f"致密肺组织（实变、不张或肿块）共 {ml:.0f} mL，含贴近胸壁者。"
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
                f"Slice {k.index} shows the {en}, {k.position_mm:.0f} mm below the first slice.",
                f"第 {k.index} 层显示{zh}，距首层 {k.position_mm:.0f} mm。",
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
    s = q.series
    series = SeriesRow(
        uid_hash=s.uid_hash,
        slices=q.slices,
        spacing_mm=q.spacing_mm,
        thickness_mm=s.thickness_mm,
        kernel=s.kernel,
        contrast=s.contrast,
        manufacturer=s.manufacturer,
        synthetic=s.synthetic,
    )
    return Measured(
        series=series,
        lungs=q.lungs,
        regions=q.regions,
        key_slices={name: Point(k.index, k.position_mm) for name, k in q.key_slices.items()},
        definitions=dict(q.definitions),
        **vars(q.findings),
        marks=mark_rows(marks),
    )
