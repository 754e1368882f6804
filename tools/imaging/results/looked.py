"""What is looked for only where a question names it, as statements, and what is not looked for."""

from typing import TYPE_CHECKING

from medmpt_backend.messages import bare, halves
from retrieval.messages.catalogue import messages
from tools.evidence import Quantity

if TYPE_CHECKING:
    from medmpt_backend.imaging.asked.groups import LowBody, MetalGroup, Piece
    from tools.imaging.studies import Study

pair = messages("tools.imaging").pair

Pair = tuple[str, str]
Told = tuple[Pair, tuple[Quantity, ...], int | None]
# Pieces that are named one by one; more are counted.
_NAMED = 3
_KIND = {
    "housing": pair("flat housing", context="metal"),
    "lead": pair("lead or long wire", context="metal"),
    "wires": pair("wire of the breast bone", context="metal"),
    "implant at the spine": pair("implant at the spine", context="metal"),
    "small piece": pair("small piece", context="metal"),
    "large piece": pair("large piece", context="metal"),
}
_PLACE = {
    "outside": pair("outside the body", context="metal"),
    "chest wall": pair("in the chest wall", context="metal"),
    "lung": pair("in the lung", context="metal"),
    "between the lungs": pair("between the lungs", context="metal"),
    "spine": pair("at the spine", context="metal"),
    "below the lungs": pair("below the lungs, in the upper abdomen", context="metal"),
}
_PART = {
    "front": pair("a body whose front is", context="vertebra"),
    "middle": pair("a body whose middle is", context="vertebra"),
    "whole": pair("a body that is in front and in the middle", context="vertebra"),
}
_SIDE = {
    "left": pair("left", context="metal"),
    "right": pair("right", context="metal"),
    "middle": pair("in the middle", context="metal"),
}


def metal(study: "Study") -> Told:
    """Metal: what has the size of a pacemaker first, then what else lies in the body, on it, and what was not looked for."""
    found = study.looked.metal
    if found.validity == "out":
        return pair("Metal was not looked for: {why}.", why=halves(bare(found.because or ""))), (), None
    housings = [piece for piece in found.inside if piece.kind == "housing"]
    leads = [piece for piece in found.inside if piece.kind == "lead"]
    others = [piece for piece in found.inside if piece.kind != "housing" and not (housings and piece.kind == "lead")]
    text = ("", "")
    if housings:
        text = pair(
            "Metal of the size and shape of a pacemaker's or defibrillator's housing was found: {pieces} (experimental, not for the "
            "report); which device it is was not judged.",
            pieces=_listed([*housings, *leads]),
        )
    if others:
        text = _and(text, pair("Metal inside the body: {pieces} (experimental, not for the report).", pieces=_listed(others)))
    if not housings:
        none = pair("None of it has the size of a pacemaker's or defibrillator's housing.")
        text = _and(
            text,
            none
            if others
            else pair(
                "No metal was found inside the body (experimental, not for the report): no housing of a "
                "pacemaker or defibrillator, no screws; small clips and thin wires are often missed."
            ),
        )
    first = next(iter(found.inside), None)
    return _and(text, _limits(found)), (), None if first is None else first.slice


def _limits(found: "MetalGroup") -> Pair:
    """What lies on the body, and what was not looked for."""
    outside = sum(piece.place == "outside" for piece in found.pieces)
    text: Pair = ("", "")
    if outside:
        text = pair("{count} pieces lie outside the body (cables, electrodes, clothing).", count=outside)
    if found.veins:
        near = pair("Veins full of contrast medium are as bright as metal: leads and other metal beside them were not looked for.")
        text = _and(text, near)
    return _and(text, pair("Plastic, drains, catheters and most valves and stents would be missed."))


def _and(first: Pair, then: Pair) -> Pair:
    """Two sentences after each other."""
    return f"{first[0]} {then[0]}".strip(), first[1] + then[1]


def _listed(pieces: "list[Piece]") -> Pair:
    """The first pieces, and how many more there are."""
    rows = [
        pair(
            "{kind} {place} ({side}, {ml:.1f} mL, {long:.0f} mm long, slice {slice})",
            kind=_KIND[p.kind],
            place=_PLACE[p.place],
            side=_SIDE[p.side],
            ml=p.ml,
            long=p.long_mm,
            slice=p.slice,
        )
        for p in pieces[:_NAMED]
    ]
    text = "; ".join(row[0] for row in rows), "；".join(row[1] for row in rows)
    if len(pieces) > _NAMED:
        more = pair("; {count} more", count=len(pieces) - _NAMED)
        text = text[0] + more[0], text[1] + more[1]
    return text


def pericardium(study: "Study") -> Told:
    """Fluid around the heart."""
    found = study.looked.pericardium
    if found.ml is None:
        return pair("Pericardial fluid was not measured: {why}.", why=halves(bare(found.because or ""))), (), None
    if not found.ml:
        none = pair(
            "No pericardial fluid was measured (experimental, not for the report); layers thinner than about 8 mm and blood may be missed."
        )
        return none, (Quantity(name="pericardial_ml", value=0, unit="mL", decimals=0),), None
    ml, thick, hu = found.ml, found.thick_mm or 0.0, found.hu or 0.0
    said = pair(
        "Pericardial fluid, measured: about {ml:.0f} mL, up to {thick:.0f} mm thick, median {hu:.0f} HU (experimental, not for the report; "
        "fat and recesses may count, thin layers and blood are missed).",
        ml=ml,
        thick=thick,
        hu=hu,
    )
    known = (
        Quantity(name="pericardial_ml", value=ml, unit="mL", decimals=0),
        Quantity(name="pericardial_mm", value=thick, unit="mm", decimals=0),
        Quantity(name="pericardial_hu", value=hu, unit="HU", decimals=0),
    )
    return said, known, found.slice


def fracture(study: "Study") -> Told:
    """Vertebral bodies that have lost height; that ribs are not looked at."""
    found = study.looked.spine
    ribs = pair("Fractures of the ribs are not looked for by this program: they were neither found nor excluded. Look at the ribs.")
    if found.low is None or found.slices is None:
        why = halves(bare(found.because or ""))
        spine = pair("Vertebral bodies were not measured: {why}. Look at the spine on sagittal planes.", why=why)
        return _and(spine, ribs), (), None
    first, last = found.slices
    if not found.low:
        spine = pair(
            "{count} vertebral bodies (slices {first} to {last}) were measured, and none was found about a fifth or more lower than its "
            "neighbours (experimental, not for the report). This does not exclude a fracture: small losses of height and those without any "
            "are missed. Look at the spine on sagittal planes.",
            count=found.measured,
            first=first,
            last=last,
        )
        return _and(spine, ribs), (Quantity(name="bodies_measured", value=found.measured, unit="", decimals=0),), None
    worst = max(found.low, key=lambda body: body.loss)
    spine = pair(
        "Candidates for a vertebral fracture, to be looked at on sagittal planes: {bodies} ({count} bodies measured, slices {first} to "
        "{last}; experimental, not for the report). Old and new fractures and other causes of a low body look alike.",
        bodies=_bodies(found.low),
        count=found.measured,
        first=first,
        last=last,
    )
    known = [Quantity(name="bodies_measured", value=found.measured, unit="", decimals=0)]
    known += [Quantity(name="body_loss_pct", value=100 * body.loss, unit="%", decimals=0) for body in found.low if body.kind != "unclear"]
    return _and(spine, ribs), tuple(known), worst.slice


def _bodies(low: "tuple[LowBody, ...]") -> Pair:
    """The first low bodies, and how many more there are."""
    rows = [
        pair("a body that could not be measured or told from its neighbour (slice {slice})", slice=body.slice)
        if body.kind == "unclear"
        else pair(
            "{part} about {loss:.0f}% lower than its neighbours (slice {slice}; back, middle and front {back:.0f}, {middle:.0f} and "
            "{front:.0f} mm high; grade {grade} by the limits of Genant et al. 1993)",
            part=_PART[body.kind],
            loss=100 * body.loss,
            slice=body.slice,
            back=body.heights[0],
            middle=body.heights[1],
            front=body.heights[2],
            grade=body.grade,
        )
        for body in low[:_NAMED]
    ]
    text = "; ".join(row[0] for row in rows), "；".join(row[1] for row in rows)
    if len(low) > _NAMED:
        more = pair("; {count} more", count=len(low) - _NAMED)
        text = text[0] + more[0], text[1] + more[1]
    return text


def airway_walls(_: "Study") -> Told:
    """That airway walls are not measured."""
    said = pair(
        "Airway walls and the ratio of bronchus to artery are not measured by this program: wall thickening and bronchiectasis were "
        "neither found nor excluded. Compare each bronchus with the artery beside it."
    )
    return said, (), None


def fine_lines(_: "Study") -> Told:
    """That reticulation and honeycombing are not measured."""
    said = pair(
        "Reticulation and honeycombing are not measured: by measurement they were neither found nor excluded. Look at the outer lung, "
        "above all at the bases, on sections of about 1 mm."
    )
    return said, (), None


def bullae(study: "Study") -> Told:
    """Rooms of air inside the lungs: the largest first."""
    found = study.looked.bullae
    if found.bullae is None:
        return pair("Bullae were not looked for: {why}.", why=halves(bare(found.because or ""))), (), None
    if not found.bullae:
        return (
            pair("No bulla wider than 1 cm was found (experimental, not for the report); of less than 2 cm some are missed."),
            (),
            None,
        )
    largest, count = found.bullae[0], len(found.bullae)
    ml = sum(bulla.ml for bulla in found.bullae)
    said = pair(
        "Bullae wider than 1 cm: {count}, together about {ml:.0f} mL, the largest {long:.0f} mm wide in the {side} lung, slice {slice} "
        "(experimental, not for the report; cysts and air beside the lungs look alike).",
        count=count,
        ml=ml,
        long=largest.long_mm,
        side=_SIDE[largest.side],
        slice=largest.slice,
    )
    known = (
        Quantity(name="bullae", value=count, unit="", decimals=0),
        Quantity(name="bullae_ml", value=ml, unit="mL", decimals=0),
        Quantity(name="bulla_mm", value=largest.long_mm, unit="mm", decimals=0),
    )
    return said, known, largest.slice
