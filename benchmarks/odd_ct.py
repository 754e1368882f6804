"""What `quantify` gives for the modified series of `../shared/data/odd_ct`, against what each should give.

    python benchmarks/odd_ct.py [--out FOLDER] [--only PATTERN]

`odd_ct.tsv` names per pattern (first match counts) the expected verdict: `same` figures as the original, `warned` (same, and a warning
with these words), `volume` (the same volume, and a warning that the
densities are coarser), `told` (one stack chosen, the other named), `refused` (with these words).
"""

import argparse
import csv
import re
import subprocess
import sys
import tempfile
from fnmatch import fnmatch
from pathlib import Path

from medmpt_backend.errors import BackendError
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.quantify import quantify

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
# Relative difference of volume and difference of LAA-950 in points that count as the same.
SAME_VOLUME, SAME_LAA = 0.01, 0.5
IDENTITY = ("GARCIA", "MRN998877", "LUZ")


def make(out: Path) -> list[Path]:
    """Write the modified series and name them."""
    source = (DATA / "odd_ct/make_cases.py").read_text(encoding="utf-8")
    out.parent.mkdir(parents=True, exist_ok=True)
    script = out.parent / "make_cases.py"
    script.write_text(re.sub(r"'[^']*/ct-64\.nrrd'", repr(str(DATA / "chest_ct/ct-64.nrrd")), source), encoding="utf-8")
    subprocess.run([sys.executable, "-W", "ignore", str(script), str(out), str(DATA / "chest_ct/ct64_dicom")], check=True)
    return sorted(path for path in out.iterdir() if path.name != "pair.img")


def outcome(path: Path) -> tuple[str, float, float, str]:
    """Verdict, litres, LAA-950 and everything that was said."""
    try:
        found = quantify(load_volume(path))
    except BackendError as error:
        return f"refused ({type(error).__name__})", 0.0, 0.0, str(error)
    said = " | ".join(found.warnings) + f" | {found.series}"
    return "read", found.lungs.total_l, found.lungs.laa950_pct, said


def judge(row: dict[str, str], result: tuple[str, float, float, str], base: tuple[str, float, float, str]) -> str:
    """Empty where the result is the expected one, else what differs."""
    verdict, litres, laa, said = result
    words = row["words"] or ""
    wrong = [f"identity {name!r} in the output" for name in IDENTITY if name in said]
    if words and not re.search(words, said, re.IGNORECASE | re.DOTALL):
        wrong.append(f"words {words!r} are missing")
    if row["expected"] == "refused" and verdict == "read":
        wrong.append("was read")
    if row["expected"] in ("same", "warned", "volume"):
        if verdict != "read":
            wrong.append(verdict)
        elif abs(litres / base[1] - 1) > SAME_VOLUME or (abs(laa - base[2]) > SAME_LAA and row["expected"] != "volume"):
            wrong.append(f"{litres:.2f} l, LAA-950 {laa:.1f} % instead of {base[1]:.2f} l, {base[2]:.1f} %")
    return "; ".join(wrong)


def main() -> None:
    """Print one line per series and the number of those that give what they should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="where the series are written and kept; default: a temporary folder")
    parser.add_argument("--only", default="*", help="pattern of names")
    arguments = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} is absent")
        return
    with (Path(__file__).with_suffix(".tsv")).open(encoding="utf-8") as file:
        table = list(csv.DictReader(file, delimiter="\t"))
    with tempfile.TemporaryDirectory() as folder:
        out = arguments.out or Path(folder) / "odd"
        cases = [p for p in (sorted(out.iterdir()) if out.exists() else make(out)) if p.name != "pair.img"]
        base = outcome(DATA / "chest_ct/ct64_dicom")
        good = total = 0
        for path in (p for p in cases if fnmatch(p.name, arguments.only)):
            row = next(row for row in table if fnmatch(path.name, row["pattern"]))
            result = outcome(path)
            wrong = judge(row, result, base)
            good, total = good + (not wrong), total + 1
            print(f"{'ok  ' if not wrong else 'FAIL'} {path.name:45s} {row['expected']:8s} {result[0]:24s} {wrong or ''}")
            if wrong:
                print(f"       {result[3][:300]}")
        print(f"{good} of {total} give what they should")


if __name__ == "__main__":
    main()
