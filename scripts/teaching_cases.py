#!/usr/bin/env python3
"""Choose the teaching cases of the virtual cohort and write tools/data/teaching/cases.toml.

    python scripts/teaching_cases.py CANDIDATES.jsonl

Candidates are generated into the JSONL file where it lacks them (some seconds each), then three levels of equal size are chosen:
how hard a study is grows with the number of findings and with how few voxels its smallest finding has. The first two cases stay as they
were, so that tests and walks keep their patients.
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from medmpt_backend.cohort.patients.diseases import DISEASES
from medmpt_backend.cohort.studies import generate
from tools.teaching.cases import truths
from tools.teaching.commit import CHOICES

SEED, SHAPE, INDEXES, EACH = 9200, (64, 192, 192), (11, 12, 13), 20
KEPT = (("teach-01", 9100, 1, "lung_cancer_early"), ("teach-02", 9100, 1, "cap_lobar"))
TARGET = Path("tools/data/teaching/cases.toml")
WORDS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
SYMPTOMS: dict[str, str] = WORDS["symptoms"]


def candidate(seed: int, index: int, disease: str) -> dict[str, Any] | None:
    """One study as a row; None where no patient could be painted."""
    try:
        made = generate(seed, index, SHAPE, disease)
    except ValueError:
        return None
    voxels: dict[str, int] = {}
    for told in made.truth.findings:
        for label in told.labels:
            if label in CHOICES and told.visible:
                voxels[label] = voxels.get(label, 0) + told.voxels
    p = made.patient
    return {
        "seed": seed, "index": index, "disease": disease, "age": p.age, "sex": p.sex, "symptoms": list(p.symptoms), "pack": p.pack_years,
        "quit": p.quit_years, "truth": [t.model_dump() for t in truths(made)], "vox": voxels,
    }  # fmt: skip


def candidates(file: Path) -> list[dict[str, Any]]:
    """All candidates, those that are missing generated and appended."""
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    for row in rows:
        row.setdefault("seed", SEED)
    have = {(r["seed"], r["index"], r["disease"]) for r in rows}
    wanted = [k[1:] for k in KEPT] + [(SEED, i, d.id) for i in INDEXES for d in DISEASES]
    with file.open("a") as out:
        for key in wanted:
            if key not in have and (made := candidate(*key)) is not None:
                out.write(json.dumps(made) + "\n")
                rows.append(made)
    return rows


def hardness(row: dict[str, Any]) -> float:
    """Findings count; the smallest one counts the more the fewer voxels it has."""
    sizes = [row["vox"].get(t["finding"], 1) for t in row["truth"]]
    return len(sizes) + (40.0 / min(sizes) ** 0.5 if sizes else 0.0)


def smoking(row: dict[str, Any]) -> str:
    """As the record words it."""
    return "never" if not row["pack"] else "former" if row["quit"] else "current"


def table(name: str, level: int, row: dict[str, Any]) -> str:
    """One TOML table; title and vignette give nothing away."""
    symptoms = [s for s in row["symptoms"] if s in SYMPTOMS][:2]
    number = int(name.removeprefix("teach-"))
    said, said_zh = " and ".join(symptoms) or "no complaint", WORDS["glue"].join(SYMPTOMS[s] for s in symptoms) or WORDS["none"]
    title_zh = WORDS["title"].format(number=number, said=said_zh, age=row["age"], sex=WORDS[row["sex"]])
    teaches = ", ".join(f'"{t["finding"]}"' for t in row["truth"])
    return (
        f'[{name}]\ntitle = "Teaching {number}: {said} ({row["age"]}, {row["sex"]})"\n'
        f'title_zh = "{title_zh}"\n'
        f'age = {row["age"]}\nsex = "{row["sex"]}"\nquestion = "{said.capitalize()}. What does the CT show?"\n'
        f'symptoms = {json.dumps(symptoms)}\nsmoking = "{smoking(row)}"\nseed = {row["seed"]}\nindex = {row["index"]}\n'
        f'shape = {list(SHAPE)}\ndisease = "{row["disease"]}"\nlevel = {level}\nteaches = [{teaches}]\n'
    )


def main() -> None:
    """Choose and write."""
    rows = candidates(Path(sys.argv[1]))
    by_key = {(r["seed"], r["index"], r["disease"]): r for r in rows}
    kept = [by_key[k[1:]] for k in KEPT]
    order = sorted((r for r in rows if r["seed"] == SEED), key=lambda r: (hardness(r), r["disease"], r["index"]))
    third = len(order) // 3
    chosen: list[tuple[int, dict[str, Any]]] = [(2, r) for r in kept]
    for level in (1, 2, 3):
        part = order[(level - 1) * third : level * third]
        spread = sorted(part, key=lambda r: (sum(r["disease"] == q["disease"] for q in part[: part.index(r)]), r["index"], r["disease"]))
        chosen += [(level, r) for r in spread[:EACH]]
    head = (
        "# Teaching cases: virtual patients whose truth is known. Titles and vignettes give no finding away.\n"
        "# Written by scripts/teaching_cases.py; the study is `generate(seed, index, shape, disease)` of the cohort, made on this\n"
        "# machine when first looked at. `teaches` chooses the next case and is never shown.\n\n"
    )
    tables = [table(f"teach-{n:02d}", level, row) for n, (level, row) in enumerate(chosen, 1)]
    TARGET.write_text(head + "\n".join(tables), encoding="utf-8")


if __name__ == "__main__":
    main()
