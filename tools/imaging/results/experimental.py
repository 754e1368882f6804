"""What is measured only as an experiment, or not at all, said where a question asks for it and nowhere else."""

import re
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from medmpt_backend.messages import bare, halves
from retrieval.messages.catalogue import messages
from tools.evidence import Evidence, Quantity
from tools.imaging.results import looked
from tools.quantities import fill

pair = messages("tools.imaging").pair

if TYPE_CHECKING:
    from medmpt_backend.imaging.findings.groups import Findings
    from medmpt_backend.imaging.quantify import Quantification
    from tools.imaging.studies import Study

Told = tuple[tuple[str, str], tuple[Quantity, ...]]
_GRADES = {
    "none": pair("none", context="calcium"),
    "mild": pair("mild", context="calcium"),
    "moderate": pair("moderate", context="calcium"),
    "severe": pair("severe", context="calcium"),
}


def asked_for(q: "Quantification", study: str, question: str, opened: "Study") -> list[Evidence]:
    """A statement for every experimental or missing measurement that the question names.

    Args:
        q: The study's figures.
        study: Its handle.
        question: The person's words.
        opened: The study itself, for what is looked for only now.
    """
    figures = [(name, (*say(q.findings), None)) for name, say in _SAID.items() if _pattern(name).search(question)]
    looked = [(name, say(opened)) for name, say in _LOOKED.items() if _pattern(name).search(question)]
    return [
        Evidence(
            key=f"CT-{study}-experimental-{name}",
            kind="ct",
            text=en,
            text_zh=zh,
            source=f"quantitative CT of {study}",
            locator=None if index is None else f"{study} slice {index}",
            validity="unknown",
            quantities=fill(known, en, zh),
            subjects=(name, study),
        )
        for name, ((en, zh), known, index) in [*figures, *looked]
    ]


def names_looked(text: str) -> bool:
    """Whether the words name what is looked for on images where it is asked for: metal, pericardial fluid, bullae, fractures."""
    return any(_pattern(name).search(text) for name in _LOOKED)


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """The words that ask for one of them."""
    table = tomllib.loads(files("tools").joinpath("data/imaging/experimental_words.toml").read_text(encoding="utf-8"))
    return re.compile("|".join(table[name]), re.IGNORECASE)


def _calcium(f: "Findings") -> Told:
    """Grades and score, or why there are none."""
    group = f.calcium
    if group.coronary.grade is None or group.aorta.grade is None:
        why = halves(bare(group.because or ""))
        said = pair("Calcium of the coronary arteries and the aorta was not judged: {why}.", why=why)
        return said, ()
    heart, aorta = _GRADES[group.coronary.grade], _GRADES[group.aorta.grade]
    score = group.coronary.agatston
    if score is None:
        return pair(
            "Calcium, by grade only (experimental, not for the report): heart {heart}, aorta {aorta}. Valves count as heart.",
            heart=heart,
            aorta=aorta,
        ), ()
    return pair(
        "Calcium (experimental, not for the report): Agatston score of the heart about {score:.0f} ({heart}), aorta {aorta}. "
        "Valves count as heart; the scan is not ECG-gated.",
        score=score,
        heart=heart,
        aorta=aorta,
    ), (Quantity(name="agatston", value=score, unit="", decimals=0),)


def _heart(f: "Findings") -> Told:
    """Width of the heart."""
    if f.heart.ctr is None:
        return pair("The width of the heart was not measured: no slice shows the whole heart between two lungs."), ()
    share = 100 * float(f.heart.ctr)
    known = Quantity(name="cardiothoracic_pct", value=share, unit="%", decimals=0)
    said = pair("The heart takes {share:.0f}% of the width of the chest on axial slices (experimental, not for the report).", share=share)
    return said, (known,)


def _bone(f: "Findings") -> Told:
    """Spongy bone."""
    if f.bone.hu is None:
        return pair("The density of bone was not measured: no vertebral body was found at the lung bases."), ()
    known = Quantity(name="bone_hu", value=f.bone.hu, unit="HU", decimals=0)
    return pair(
        "Spongy bone of a lower thoracic vertebra: {hu:.0f} HU (experimental, not for the report; contrast medium raises it).", hu=f.bone.hu
    ), (known,)


def _body(f: "Findings") -> Told:
    """Muscle and fat."""
    if f.body.muscle_cm2 is None or f.body.fat_cm2 is None:
        return pair("Muscle and fat were not measured: no vertebral body was found at the lung bases."), ()
    known = (
        Quantity(name="muscle_cm2", value=f.body.muscle_cm2, unit="cm²", decimals=0),
        Quantity(name="fat_cm2", value=f.body.fat_cm2, unit="cm²", decimals=0),
    )
    said = pair(
        "Muscle {muscle:.0f} cm², fat {fat:.0f} cm² on the slice at the lung bases (experimental, not for the report).",
        muscle=f.body.muscle_cm2,
        fat=f.body.fat_cm2,
    )
    return said, known


def _vessels(f: "Findings") -> Told:
    """Widths of the great vessels."""
    group = f.vessels
    if group.pa_mm is None or group.aorta_mm is None or group.ratio is None:
        return pair("The widths of the pulmonary trunk and the aorta were not measured: {why}.", why=halves(bare(group.because or ""))), ()
    known = (
        Quantity(name="pulmonary_trunk_mm", value=group.pa_mm, unit="mm", decimals=0),
        Quantity(name="ascending_aorta_mm", value=group.aorta_mm, unit="mm", decimals=0),
    )
    said = pair(
        "Pulmonary trunk about {pa:.0f} mm, ascending aorta about {aorta:.0f} mm, ratio {ratio:.2f} (experimental, right within some 4 mm, "
        "not for the report). Nine in ten healthy people have a trunk of up to 29 mm (men) or 27 mm (women) and a ratio of up to 0.9 "
        "(Truong et al. 2012); a wide trunk does not prove pulmonary hypertension.",
        pa=group.pa_mm,
        aorta=group.aorta_mm,
        ratio=group.ratio,
    )
    return said, known


_SAID: dict[str, Callable[["Findings"], Told]] = {
    "calcium": _calcium,
    "heart": _heart,
    "bone": _bone,
    "body": _body,
    "vessels": _vessels,
}
_LOOKED: dict[str, Callable[["Study"], looked.Told]] = {
    "metal": looked.metal,
    "pericardium": looked.pericardium,
    "fracture": looked.fracture,
    "bullae": looked.bullae,
    "airways": looked.airway_walls,
    "fine_lines": looked.fine_lines,
}
