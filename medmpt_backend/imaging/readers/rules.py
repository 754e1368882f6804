"""What the words of CT headers mean, by tables: image types, kernels, makers, contrast media.

Only words of the tables leave this module: free text of a header, which may hold a name, never enters a result.
"""

import csv
import re
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Literal

Family = Literal["soft", "medium", "sharp"]
Contrast = Literal["yes", "no", "unknown"]
# Units of rescaled values that are Hounsfield units; the rest are maps of something else.
_HOUNSFIELD_UNITS = {"", "HU", "HU_MOD", "US", "UNSPECIFIED", "NORMALIZED"}


@lru_cache
def _table(name: str) -> tuple[tuple[re.Pattern[str], dict[str, str]], ...]:
    """Rows of a table with their patterns compiled, in order."""
    text = files("medmpt_backend.imaging.readers").joinpath("data", f"{name}.tsv").read_text(encoding="utf-8")
    return tuple((re.compile(row["pattern"]), row) for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def refused_type(image_type: Iterable[str], units: str = "") -> str | None:
    """Why an image of this type shows no plain lung density: a localizer, a projection, a map, a capture.

    Args:
        image_type: Upper-case values of ImageType or FrameType.
        units: RescaleType.

    Returns:
        Two or three words, None where the type can be measured.
    """
    for value in image_type:
        for pattern, row in _table("image_types"):
            if pattern.fullmatch(value.strip()):
                return row["text"]
    return None if units.strip().upper() in _HOUNSFIELD_UNITS else "material map"


def odd_type(image_type: tuple[str, ...]) -> str | None:
    """`derived` or `secondary` where an image is not an original primary one."""
    words = [word.lower() for word in ("DERIVED", "SECONDARY") if word in image_type[:2]]
    return " and ".join(words) or None


def known_kernel(text: str | None) -> tuple[str, Family] | None:
    """A kernel in known spelling and its family; None for text that no table knows."""
    name = re.sub(r"\s+", " ", (text or "").strip())
    for pattern, row in _table("kernels"):
        if pattern.fullmatch(name.upper()):
            return name, row["family"]  # type: ignore[return-value]
    return None


def known_maker(text: str | None) -> str | None:
    """The maker's name where the text holds a known one."""
    return next((row["name"] for pattern, row in _table("makers") if pattern.search((text or "").upper())), None)


def contrast(agent: str, route: str, volume_ml: float | None, *, coded: bool) -> Contrast:
    """Whether an intravenous agent was given, by a closed reading of the header's words.

    Args:
        agent: ContrastBolusAgent.
        route: ContrastBolusRoute.
        volume_ml: ContrastBolusVolume.
        coded: Whether the header codes an agent in a sequence.

    Returns:
        `unknown` for an empty header and for words that the table does not know.
    """
    found, by_route = _meanings(agent), _meanings(route)
    if "none" in found:
        return "no"
    if "intravenous" in found | by_route:
        return "yes"
    if "enteral" in by_route or ("enteral" in found and "agent" not in found):
        return "no"
    if found & {"agent", "said"} or coded:
        return "unknown" if "enteral" in found else "no" if volume_ml == 0 and not coded else "yes"
    if "empty" in found and agent.strip():
        return "unknown" if re.search(r"UNKNOWN|UNSPECIFIED", agent.upper()) else "no"
    return "yes" if volume_ml is not None and volume_ml > 0 else "unknown"


def _meanings(text: str) -> set[str]:
    """What the words of a text say."""
    plain = re.sub(r"NON[- ]?IONIC|\b(NO|WITHOUT|W/O) ORAL( CONTRAST)?", "", text.upper().strip())
    return {row["meaning"] for pattern, row in _table("contrast") if pattern.search(plain)}
