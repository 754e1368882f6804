"""Vertebral bodies that have lost height: candidates for a fracture, to be looked at."""

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.asked.groups import BodyKind, LowBody, SpineGroup
from medmpt_backend.imaging.asked.spine import Column, column
from medmpt_backend.imaging.asked.vertebrae import PARTS, Body, bodies, discs
from medmpt_backend.imaging.validity import noise_hu
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Genant et al., J Bone Miner Res 1993: a fifth to a quarter of the height is grade 1, up to two fifths grade 2, more grade 3. What is
# measured is the mean of the front quarter, a little behind the edge that lost most: it is named from a little less.
LOW, GRADES = 0.18, (0.25, 0.40)
# Bodies grow by this share from one to the next downwards; so many neighbours say how high a body should be.
GROWTH, NEIGHBOURS = 0.03, 6
# Outside these shares of what the neighbours say, or flatter than this, two discs or bodies were taken for one.
UNCLEAR, FLAT_MM = 1.35, 5.0
# How much lower the front or the middle is than the rest where it is that part that gave way.
WEDGE, CAVED = 0.04, 0.03
THICK_MM, WIDE_MM, NOISY_HU, LEAST = 3.1, 1.2, 25.0, 6
# Where more bodies cannot be told apart the chain of discs is not one.
MOST_UNCLEAR = 2
# Bodies less than this below the top of the lungs are small, bent and behind the shoulders: not measured.
BELOW_TOP_MM, AHEAD_MM = 40.0, 22.0
ASIDE_MM = 13.0


def low_bodies(volume: Volume, lungs: Lungs) -> SpineGroup:
    """Bodies of the thoracic spine lower than their neighbours and their own back let expect.

    Args:
        volume: Full resolution.
        lungs: Its lungs.

    Returns:
        Experimental figures: `unknown` at best.
    """
    if volume.spacing[0] > THICK_MM or max(volume.spacing[1:]) > WIDE_MM:
        return SpineGroup("out", message("Sections above 3 mm or pixels above 1.2 mm: endplates of vertebral bodies are not seen."))
    noise = noise_hu(volume, lungs)
    if noise is not None and noise > NOISY_HU:
        return SpineGroup("out", message("Noise of {noise:.0f} HU hides the endplates of vertebral bodies.", noise=noise))
    found = column(volume, lungs)
    measured = [] if found is None else _measured(found, lungs)
    if found is None or len(measured) < LEAST:
        return SpineGroup("out", message("The canal and the discs of the spine were not followed."))
    low, voxels = [], []
    for k, (body, (kind, loss)) in enumerate(zip(measured, judged(measured), strict=True)):
        if kind is None or (kind == "unclear" and k in (0, len(measured) - 1)):
            continue  # at the ends of what is measured a body that fits nothing is no body
        inside = _voxels(volume, found, body)
        slices = np.bincount(inside[:, 0])
        first, last = int(inside[:, 0].min()), int(inside[:, 0].max())
        low.append(LowBody(kind, loss, _grade(kind, loss), body.heights, int(np.argmax(slices)), first, last))
        voxels.append(inside)
    if len(low) > len(measured) / 2 or sum(body.kind == "unclear" for body in low) > MOST_UNCLEAR:
        return SpineGroup("out", message("The canal and the discs of the spine were not followed."))
    ends = [round(float(found.at(step, AHEAD_MM)[0]) / volume.spacing[0]) for step in (measured[0].top[1], measured[-1].bottom[1])]
    return SpineGroup(
        "unknown",
        message("Experimental: tried on squeezed bodies of two real scans; no scan with fractures that a person had named."),
        tuple(low),
        len(measured),
        (ends[0], ends[1]),
        np.concatenate(voxels) if voxels else None,
    )


def judged(measured: list[Body]) -> list[tuple[BodyKind | None, float]]:
    """What gave way in each body, None where nothing did, and the share of its height that is lost.

    Args:
        measured: Bodies from the head downwards.
    """
    heights = np.array([body.heights for body in measured])
    shares = heights / expected(heights)
    out: list[tuple[BodyKind | None, float]] = []
    for own, (back, middle, front) in zip(heights, shares, strict=True):
        loss = float(1 - min(middle, front))
        kind: BodyKind | None = None
        if own.min() < FLAT_MM or max(back, middle, front) > UNCLEAR:
            kind, loss = "unclear", 0.0
        elif loss >= LOW:
            kind = "front" if front < min(back, middle) - WEDGE else "middle" if middle < min(front, back) - CAVED else "whole"
        out.append((kind, loss))
    return out


def expected(heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Height that the neighbours let expect: the median of the nearest, grown or shrunk to its place.

    Args:
        heights: `(bodies, 3)` mm.
    """
    places = np.arange(len(heights))
    out = np.empty_like(heights)
    for k in places:
        near = np.argsort(np.abs(places - k), kind="stable")[1 : NEIGHBOURS + 1]
        out[k] = np.median(heights[near] * (1 + GROWTH * (k - near))[:, None], axis=0)
    return out


def _measured(found: Column, lungs: Lungs) -> list[Body]:
    """Bodies from some way below the top of the lungs."""
    top = float(np.flatnonzero((lungs.labels > 0).any(axis=(1, 2)))[0] * lungs.grid.spacing[0])
    plates = [disc for disc in discs(found) if found.at(disc.step, AHEAD_MM)[0] >= top + BELOW_TOP_MM]
    measured = bodies(found, plates)
    while flat := [k for k, body in enumerate(measured) if min(body.heights) < FLAT_MM]:
        # both endplates of one disc were taken for two: the less clear one goes
        k = flat[0]
        plates.pop(k if plates[k].clear < plates[k + 1].clear else k + 1)
        measured = bodies(found, plates)
    return measured


def _grade(kind: BodyKind, loss: float) -> int:
    """Genant's grade, 0 where no share was measured."""
    return 0 if kind == "unclear" else 1 + sum(loss >= limit for limit in GRADES)


def _voxels(volume: Volume, found: Column, body: Body) -> NDArray[np.intp]:
    """Voxels of a body, `(z, y, x)`: between its endplates, from back to front."""
    middles = np.array([sum(part) / 2 for part in PARTS])
    fine = min(volume.spacing) * 0.8
    out = []
    for ahead in np.arange(body.back_mm, body.front_mm, fine):
        part = (ahead - body.back_mm) / (body.front_mm - body.back_mm)
        top, bottom = (float(np.interp(part, middles, ends)) for ends in (body.top, body.bottom))
        steps = np.arange(top, max(bottom, top + 1.0), 0.8)
        near = np.clip(np.rint(steps), 0, len(found.line) - 1).astype(int)
        side = np.arange(-ASIDE_MM, ASIDE_MM, fine)[:, None]
        out.append((found.line[near] + ahead * found.front[near])[None] + side[..., None] * found.aside[near][None])
    places = np.rint(np.concatenate([p.reshape(-1, 3) for p in out]) / volume.spacing).astype(np.intp)
    inside = np.all((places >= 0) & (places < volume.hu.shape), axis=1)
    return np.unique(places[inside], axis=0)
