"""Fit the second reading of `verify`: claims written by hand, perturbed passages, and rows of verify files that may be read."""

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from agent.errors import BadInput
from agent.evaluation.verification import read_rows
from agent.training.grow import AGAINST, grown
from agent.training.perturb import made_of
from agent.verify.check import objection_of
from agent.verify.opinion.signs import signs
from retrieval.guidelines.corpus import load_corpus
from retrieval.guidelines.passages import Passage
from tools.evidence import Evidence

# Chosen by leaving one author out at a time: the weight of the data, how often a sign must occur, and the two doubts.
STRENGTH = 0.01
OFTEN = 8
LOW, HIGH = 0.46, 0.6
# Perturbed passages bring nothing for authors who are left out (tried with 0, 600 and 1,500).
PERTURBED = 0
# Claims written by hand, in the folder of this package.
PAIRS = ("pairs.txt", "pairs_free.txt")
# What one claim counts: a perturbed one less than one that a person wrote.
_COUNTS = {"hand": 1.0, "perturbed": 0.4, "rows": 1.0}
# Smaller weights do not move a doubt.
_SMALL = 5e-4
_SOURCE = re.compile(r"(?P<path>.+?)(?:@(?P<language>en|zh))?(?:=(?P<counts>\d+(?:\.\d+)?))?")


@dataclass(frozen=True)
class Claim:
    """One claim with its evidence, whether it is a fault, and what it counts."""

    text: str
    evidence: tuple[Evidence, ...]
    fault: bool
    counts: float = 1.0


def folder() -> Path:
    """Where pairs and weights of this package lie."""
    return Path(str(files("agent").joinpath("data/opinion")))


def as_evidence(passage: Passage) -> Evidence:
    source = f"{passage.guideline.issuer} {passage.guideline.year}"
    return Evidence(key=passage.key, kind="guideline", text=passage.text, text_zh=passage.text_zh, source=source)


def read_pairs(path: Path) -> list[Claim]:
    """Claims written by hand: `# KEY` or `# KIND | English | Chinese` names the evidence of the lines below it.

    Raises:
        BadInput: A line is neither; says which.
    """
    passages = {p.key: p for p in load_corpus().passages}
    held: Evidence | None = None
    out: list[Claim] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        mark, _, rest = line.partition(" ")
        parts = [part.strip() for part in rest.split(" |")]
        if mark == "#" and rest in passages:
            held = as_evidence(passages[rest])
        elif mark == "#" and len(parts) == 3:
            row = {"key": f"E-{number}", "kind": parts[0], "text": parts[1], "text_zh": parts[2] or None, "source": "record"}
            held = Evidence.model_validate(row)
        elif mark in ("s", "f") and held is not None:
            out.append(Claim(rest, (held,), mark == "f", _COUNTS["hand"]))
        elif line and mark != "#":
            raise BadInput(f"{path.name}, line {number}: neither evidence nor a claim")
    return out


def perturbed(leave_out: Collection[str], count: int = PERTURBED) -> list[Claim]:
    """Claims made of passages; those whose text is in `leave_out` belong to a measure."""
    passages = [p for p in load_corpus().passages if p.text not in leave_out]
    return [Claim(m.text, (as_evidence(m.passage),), m.fault, _COUNTS["perturbed"]) for m in made_of(passages, count)]


@dataclass(frozen=True)
class Source:
    """A verify file to train on, which of its rows (by language), and what each counts."""

    path: Path
    language: str | None = None
    counts: float = _COUNTS["rows"]


def source(text: str) -> Source:
    """`FILE[@LANGUAGE][=WEIGHT]`.

    Raises:
        BadInput: The weight is no positive number, or the language neither en nor zh.
    """
    found = _SOURCE.fullmatch(text)
    if found is None or (found["counts"] and not float(found["counts"]) > 0):
        raise BadInput(f"{text!r} is no FILE[@en|@zh][=WEIGHT] with a weight above 0")
    return Source(Path(found["path"]), found["language"], float(found["counts"] or _COUNTS["rows"]))


def of_source(one: Source) -> list[Claim]:
    """Claims of a verify file."""
    rows = [r for r in read_rows(one.path) if one.language in (None, r.lang)]
    return [Claim(r.text, tuple(e for e in r.evidence if e.key in r.keys), r.label == "fault", one.counts) for r in rows]


def of_cases(place: Path, name: str) -> list[Claim]:
    """Claims of a pair of files `NAME_evidence.jsonl` and `NAME_cases.jsonl`, as the tests of `verify` have them; editions apart."""
    lines = (place / f"{name}_evidence.jsonl").read_text(encoding="utf-8").splitlines()
    held = {e.key: e for e in map(Evidence.model_validate_json, lines)}
    cases = [json.loads(line) for line in (place / f"{name}_cases.jsonl").read_text(encoding="utf-8").splitlines()]
    kept = [c for c in cases if c["cites"] and c["fault"] != "edition" and all(k in held for k in c["cites"])]
    return [Claim(c["text"], tuple(held[k] for k in c["cites"]), c["fault"] is not None) for c in kept]


def signs_of(claim: Claim) -> dict[str, float]:
    """Signs of one claim, the objection of the rules among them."""
    body, reason = objection_of(claim.text, list(claim.evidence))
    return signs(body, list(claim.evidence), reason)


def fit(claims: Sequence[Claim], found: Sequence[Mapping[str, float]]) -> dict[str, object]:
    """Weights of all signs that occur often enough, on the scale of the signs themselves."""
    seen = Counter(name for row in found for name, value in row.items() if value)
    names = sorted(name for name, count in seen.items() if count >= OFTEN)
    table = np.array([[row.get(name, 0.0) for name in names] for row in found])
    middle, scale = table.mean(0), table.std(0) + 1e-9
    faults = np.array([c.fault for c in claims], dtype=float)
    weight, bias = _solve((table - middle) / scale, faults, np.array([c.counts for c in claims]), names)
    weight = weight / scale
    kept = {name: round(float(w), 4) for name, w in zip(names, weight, strict=True) if abs(w) > _SMALL}
    held = {"bias": round(float(bias - (weight * middle).sum()), 4), "low": LOW, "high": HIGH, "weights": kept}
    return held | grown(table, faults, np.array([c.counts for c in claims]), names)


def _solve(
    table: NDArray[np.float64], faults: NDArray[np.float64], counts: NDArray[np.float64], names: Sequence[str]
) -> tuple[NDArray[np.float64], float]:
    """Penalised logistic regression in which signs against a claim have no negative weight."""
    size = len(names)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        score = table @ flat[:size] + flat[size]
        slope = STRENGTH * counts * (1.0 / (1.0 + np.exp(-score)) - faults)
        value = 0.5 * float((flat[:size] ** 2).sum()) + STRENGTH * float((counts * (np.logaddexp(0.0, score) - faults * score)).sum())
        return value, np.append(flat[:size] + table.T @ slope, slope.sum())

    limits = [(0.0 if name.startswith(AGAINST) else None, None) for name in names]
    found = minimize(loss, np.zeros(size + 1), jac=True, method="L-BFGS-B", bounds=[*limits, (None, None)], options={"maxiter": 300})
    return found.x[:size], float(found.x[size])


def _written(weights: Mapping[str, object]) -> str:
    """JSON with one weight and one tree a line."""
    flat = {name: held for name, held in weights.items() if name != "trees"}
    head = json.dumps(flat, ensure_ascii=False, indent=0).rstrip("}").rstrip()
    trees = weights.get("trees", [])
    lines = ",\n".join(json.dumps(tree, separators=(",", ":")) for tree in trees) if isinstance(trees, list) else ""
    return f'{head},\n"trees": [\n{lines}\n]\n}}\n'


def save(weights: Mapping[str, object], path: Path) -> None:
    """Write weights as JSON, one a line."""
    path.write_text(_written(weights), encoding="utf-8")
