"""Whether verdict, carina, volume and LAA-950 hold still when a real chest is changed harmlessly, and whether parts are refused.

    python benchmarks/hold_still.py [--series NAME ...] [--all] [--what harmless states parts strangers] [--changes PATTERN] [--table]

Reads `../shared/data/chest_ct`; every change is made in memory (`habits.py`, `strangers.py`). `--table` prints the table of
docs/imaging.md. Four scans (2.5, 5, 8 and 4 mm slices) unless named or `--all`: minutes on quiet cores.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import habits
import strangers

from medmpt_backend.errors import BackendError
from medmpt_backend.imaging.anatomy.chest_domain import require_chest
from medmpt_backend.imaging.anatomy.lungs import segment
from medmpt_backend.imaging.densitometry import histograms, region_codes
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.quantify import LAA_BELOW_HU
from medmpt_backend.imaging.volume import Volume

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
VOLUME, LAA, CARINA_MM = 0.01, 0.5, 6.0
SERIES = ("LIDC-IDRI-0001", "Lung_Dx-A0001_B", "Lung_Dx-A0002_B40f", "ct64_dicom")


@dataclass(frozen=True)
class Row:
    """One change of one scan; None where nothing was measured."""

    kind: str
    name: str
    refused: str | None
    volume: float | None = None
    laa: float | None = None
    carina: float | None = None
    warnings: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether it is as it should be (LAA-950 aside)."""
        if self.kind == "parts":
            return self.refused is not None
        if self.refused is not None:
            return False
        return self.kind in ("states", "strangers") or (
            abs(self.volume or 0.0) <= VOLUME and self.carina is not None and abs(self.carina) <= CARINA_MM
        )


@dataclass(frozen=True)
class Found:
    """What is compared: the figures of lungs and airway, measured as `quantify` does, without the other findings."""

    litres: float
    laa: float
    carina: float | None
    warnings: tuple[str, ...]


def look(volume: Volume) -> Found:
    """Verdict, volume, LAA-950 and carina of one volume."""
    lungs = segment(volume)
    warnings = require_chest(volume, lungs)
    regions = histograms(volume, lungs, region_codes(lungs))[0]
    both = sum(regions[1:], regions[0])
    carina = lungs.airway.carina if lungs.airway else None
    factor = lungs.grid.factors[0]
    place = None if carina is None else (carina[0] * factor + factor // 2) * volume.spacing[0]
    return Found(both.litres, both.percent(-1024, LAA_BELOW_HU - 1), place, warnings)


def attempt(make: Callable[[], Found]) -> Found | str:
    """The figures or the reason of the refusal."""
    try:
        return make()
    except BackendError as error:
        return str(error)


def measured(kind: str, name: str, base: Found, volume: Volume, dropped_mm: float) -> Row:
    """One change against the unchanged scan."""
    found = attempt(lambda: look(volume))
    if isinstance(found, str):
        return Row(kind, name, found)
    moved = None if base.carina is None or found.carina is None else found.carina + dropped_mm - base.carina
    return Row(kind, name, None, found.litres / base.litres - 1, found.laa - base.laa, moved, found.warnings)


def said(row: Row) -> str:
    """One line."""
    verdict = "ok  " if row.good else "FAIL"
    if row.refused is not None:
        return f"  {verdict} {row.name:28s} refused: {row.refused[:120]}"
    if row.kind == "parts":
        return f"  {verdict} {row.name:28s} accepted"
    assert row.volume is not None
    assert row.laa is not None
    carina = "no carina" if row.carina is None else f"carina {row.carina:+.1f} mm"
    laa = "laa " if row.good and row.kind == "harmless" and abs(row.laa) > LAA else verdict
    warned = "".join(f"; {text[:70]}" for text in row.warnings)
    return f"  {laa} {row.name:28s} volume {100 * row.volume:+.2f} %, LAA {row.laa:+.2f}, {carina}{warned}"


def dropped(name: str, volume: Volume, changed: Volume) -> float:
    """How far the first slice moved towards the feet, mm."""
    if name in ("first slice dropped", "apex cut by a tenth"):
        return float((volume.hu.shape[0] - changed.hu.shape[0]) * volume.spacing[0])
    return 0.0


def rows_of(folder: Path, kinds: list[str], pattern: str) -> list[Row]:
    """Every change of one scan."""
    volume = load_volume(folder)
    base = attempt(lambda: look(volume))
    if isinstance(base, str):
        print(f"{folder.name}: FAIL refused: {base}")
        return []
    print(f"{folder.name}: {base.litres:.2f} l, LAA {base.laa:.1f} %, carina {base.carina} mm {base.warnings}")
    lungs = segment(volume)
    changes = {
        "harmless": lambda: habits.harmless(volume, lungs),
        "states": lambda: habits.states(volume, lungs),
        "parts": lambda: habits.parts(volume),
    }
    rows = []
    for kind in (kind for kind in kinds if kind in changes):
        for name, changed in changes[kind]():
            if fnmatch(name, pattern):
                rows.append(measured(kind, name, base, changed, dropped(name, volume, changed)))
                print(said(rows[-1]), flush=True)
    if "strangers" in kinds:
        abdomen = load_volume(DATA / "negatives/abdomen_ct.nii.gz")
        for name, changed, down in strangers.strangers(volume, lungs, abdomen):
            if fnmatch(name, pattern):
                rows.append(measured("strangers", name, base, changed, -down))
                print(said(rows[-1]), flush=True)
    return rows


def table(rows: list[Row]) -> None:
    """The rows of all scans as a table for docs/imaging.md."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.kind, row.name].append(row)
    print("\n| change | accepted | volume, % | carina, mm | LAA-950, points |\n|---|---|---|---|---|")
    for (_, name), found in groups.items():
        taken = [row for row in found if row.refused is None]

        def span(values: list[float | None], digits: int) -> str:
            known = [value for value in values if value is not None]
            lost = f", {len(values) - len(known)} not found" if len(known) < len(values) else ""
            return (f"{min(known):+.{digits}f} to {max(known):+.{digits}f}" if known else "-") + lost

        volumes = span([None if row.volume is None else 100 * row.volume for row in taken], 1)
        print(
            f"| {name} | {len(taken)} of {len(found)} | {volumes} | {span([row.carina for row in taken], 0)} "
            f"| {span([row.laa for row in taken], 1)} |"
        )


def main() -> None:
    """Print one line per change, and the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", nargs="*", default=None)
    parser.add_argument("--what", nargs="*", default=["harmless", "states", "parts"], choices=["harmless", "states", "parts", "strangers"])
    parser.add_argument("--all", action="store_true", help="all seven scans")
    parser.add_argument("--changes", default="*", help="pattern of names of changes")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    rows: list[Row] = []
    wanted = given.series or SERIES
    for folder in sorted(path for path in (DATA / "chest_ct").iterdir() if path.is_dir() and (given.all or path.name in wanted)):
        rows += rows_of(folder, given.what, given.changes)
    if given.table:
        table(rows)


if __name__ == "__main__":
    main()
