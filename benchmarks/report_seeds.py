"""Errors put by machine into sound reports, two languages, by kind: how many the linter finds, and how many of the sound ones it bothers.

Run from the repository root: `python benchmarks/report_seeds.py [--each 24] [--show KIND]`. Sound reports are those of the files in
`tests/outside` that were read, our own ones, and reports of the virtual cohort. A seed is only set where its truth is certain (the findings
speak of one such thing, on one side); the rest of the report stays as it is.
"""

import argparse
import json
import random
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from medmpt_backend.cohort.findings import Side
from medmpt_backend.cohort.patients.diseases import DISEASES
from medmpt_backend.cohort.reports.compose import write_reports
from medmpt_backend.cohort.truth import MEANS, FindingTruth, Truth
from medmpt_backend.findings import FINDINGS
from tools.reports.lint import Lint, lint
from tools.reports.lint.reading.parts import Sentence, is_chinese, sentences_of

HERE = Path(__file__).parent
WORDS = tomllib.loads((HERE / "report_seeds.toml").read_text(encoding="utf-8"))
FILES = (
    "tests/outside/blind4_reports_train.jsonl",
    "tests/outside/blind5_reports_train.jsonl",
    "tests/outside/blind6_reports_train.jsonl",
    "tests/tools/data/report_lint.jsonl",
)
TODAY = date(2026, 11, 29)
SEED = 14
LOBES = ("RUL", "RML", "RLL", "LUL", "LLL")
ADDED = ("leftover", "date", "measurement", "hedge", "places")


def sound(cohort: int) -> list[tuple[str, str]]:
    """Sound reports with where they come from."""
    out = []
    for name in FILES:
        rows = [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines() if line.strip()]
        out += [(Path(name).stem, r["text"]) for r in rows if r["expect"] == "clean"]
    rng = np.random.default_rng(SEED)
    for i in range(cohort):
        texts = write_reports(rng, DISEASES[i % len(DISEASES)].id, drawn(rng))
        # A report of the cohort names what is seen and leaves the advice to others.
        out += [("cohort", text + WORDS["advice"][language]) for language, text in texts.items()]
    return out


def drawn(rng: np.random.Generator) -> Truth:
    """A random patient of the virtual cohort: a few findings, each in one lobe."""
    found = []
    for key in rng.choice(sorted(MEANS), size=int(rng.integers(1, 6)), replace=False):
        lobe = str(rng.choice(LOBES))
        side: Side = "right" if lobe[0] == "R" else "left"
        size = round(float(rng.uniform(5, 40)), 1)
        found.append(
            FindingTruth(
                id=str(key), labels=MEANS[key], side=side, lobes=(lobe,), size_mm=size, volume_ml=5.0, lung_share=0.02, voxels=50, visible=True
            )
        )  # fmt: skip
    seen = {label for f in found for label in f.labels}
    return Truth(
        findings=tuple(found), labels={label: int(label in seen) for label in FINDINGS}, classes={}, opacity_share=0.1, lung_ml=4000,
        contrast=True, cardiothoracic_ratio=0.5, pulmonary_artery_mm=25,
    )  # fmt: skip


def seeds(text: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Kind and report with one error of it."""
    lang = "zh" if is_chinese(text) else "en"
    sentences = sentences_of(text)
    said = [s for s in sentences if s.section == "impression"]
    seen = [s for s in sentences if s.section == "findings"]
    if not said or not seen:
        return
    yield from _exchanged(text, lang, said, seen)
    yield from _sized(text, said, seen)
    yield from _stated(text, lang, said, seen)
    yield from _removed(text, lang, said, seen)
    m = re.search(WORDS["follow_up"]["pattern"], " ".join(s.text for s in said))
    if m is not None and text.count(m.group()) == 1 and re.search(r"nodul|结节", text):
        yield "follow_up", text.replace(m.group(), WORDS["follow_up"][lang])
    last = seen[-1]
    for kind in ADDED:
        where = said[-1] if kind == "hedge" else last
        yield kind, _put(text, where, where.text + rng.choice(WORDS[kind][lang]))
    for sex, other in (("male", "female"), ("female", "male")):
        if re.search(WORDS["identity"][f"is_{sex}"], text) and not re.search(WORDS["identity"][f"is_{other}"], text):
            wrong = [w for w in WORDS["identity"][sex] if (ord(w[1]) > 0x3000) == (lang == "zh")]
            yield "identity", _put(text, last, last.text + rng.choice(wrong))


def _put(text: str, where: Sentence, new: str) -> str:
    return text[: where.start] + text[where.start :].replace(where.text, new, 1)


def _find(word: str, text: str) -> list[re.Match[str]]:
    return list(re.finditer(rf"(?<![A-Za-z]){word}(?![A-Za-z])" if word[0].isascii() else word, text))


def _exchanged(text: str, lang: str, said: list[Sentence], seen: list[Sentence]) -> Iterator[tuple[str, str]]:
    """Side, lobe, change or number of a thing that the findings tell of once, with the same word."""
    for kind in ("side", "lobe", "change", "count"):
        rows = WORDS[kind][lang]
        for s in said:
            own = [(row, m) for row in rows for m in _find(row[0], s.text)]
            things = [t for t in WORDS["things"][lang] if t in s.text.lower()]
            told = [f.text for f in seen if any(t in f.text.lower() for t in things)]
            if len(own) != 1 or len(things) != 1 or len(told) != 1 or not _find(own[0][0][0], told[0]):
                continue
            row, m = own[0]
            if any(_find(other[0], told[0]) for other in rows if other[0].lower() != row[0].lower()) or re.search(r"both|bilateral|双|两肺|两侧", told[0]):
                continue
            yield kind, _put(text, s, s.text[: m.start()] + row[1] + s.text[m.end() :])
            break


def _sized(text: str, said: list[Sentence], seen: list[Sentence]) -> Iterator[tuple[str, str]]:
    """A diameter that the findings have too: another figure, or another unit."""
    told = " ".join(s.text for s in seen)
    for s in said:
        for m in re.finditer(r"(?<![\d.×x~-])(\d+(?:\.\d+)?)( ?)(mm|cm)(?![\d³])", s.text):
            if not re.search(rf"(?<![\d.]){re.escape(m[1])}(?![\d.])", told):
                continue
            value = float(m[1])
            new = f"{value * 1.7 if value < 20 else value + 14:.{1 if '.' in m[1] else 0}f}"
            if not re.search(rf"(?<![\d.]){re.escape(new)}(?![\d.])", told):
                yield "size", _put(text, s, s.text[: m.start(1)] + new + s.text[m.end(1) :])
            yield "unit", _put(text, s, s.text[: m.start(3)] + ("cm" if m[3] == "mm" else "mm") + s.text[m.end(3) :])
            return


def _stated(text: str, lang: str, said: list[Sentence], seen: list[Sentence]) -> Iterator[tuple[str, str]]:
    """An impression that states what the findings deny."""
    for denied, stated in WORDS["presence"][lang]:
        where = [s for s in seen if re.search(denied, s.text, re.IGNORECASE)]
        thing = re.findall(r"[A-Za-z]{6,}|[\u4e00-\u9fff]{2}", stated)
        if len(where) == 1 and not any(t.lower()[:6] in s.text.lower() for t in thing for s in said):
            yield "presence", _put(text, said[-1], f"{said[-1].text} {stated}")
            return


def _removed(text: str, lang: str, said: list[Sentence], seen: list[Sentence]) -> Iterator[tuple[str, str]]:
    """An urgent finding that the impression no longer names."""
    urgent = WORDS["urgent"][lang]
    told = " ".join(s.text for s in seen)
    for s in said:
        word = next((w for w in urgent if w in s.text.lower() and re.search(urgent[w], told, re.IGNORECASE)), None)
        rest = [o for o in said if o is not s]
        if word is not None and rest and not any(re.search(urgent[w], o.text, re.IGNORECASE) for o in rest for w in urgent):
            yield "omission", _put(text, s, "")
            return


def looked_at(report: Lint, cohort: bool = False) -> bool:
    """Whether the linter says that something is wrong; impressions of the cohort name only the most important."""
    return any(getattr(r, "certain", True) for r in report.remarks if not (cohort and "does not name" in r.text))


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=12, help="seeds of each kind and language")
    parser.add_argument("--cohort", type=int, default=60, help="virtual patients")
    parser.add_argument("--show", help="print the misses of this kind")
    given = parser.parse_args()
    rng = random.Random(SEED)
    reports = sound(given.cohort)
    rng.shuffle(reports)
    found, asked, alarms = Counter[str](), Counter[str](), Counter[str]()
    for origin, text in reports:
        lang = "zh" if is_chinese(text) else "en"
        bothered = looked_at(lint(text, today=TODAY), origin == "cohort")
        alarms.update({f"{origin} {lang}": 1, f"{origin} {lang} bothered": int(bothered)})
        if given.show == "alarms" and bothered:
            sys.stdout.write(f"{[(r.kind, r.text, r.places) for r in lint(text, today=TODAY).remarks]}\n{text}\n\n")
        for kind, wrong in seeds(text, rng) if not bothered else ():
            key = f"{kind} {lang}"
            if asked[key] >= given.each or wrong == text:
                continue
            hit = looked_at(lint(wrong, today=TODAY), origin == "cohort")
            asked[key] += 1
            found[key] += hit
            if given.show == kind and not hit:
                sys.stdout.write(f"--- {kind}\n{wrong}\n{_difference(text, wrong)}\n\n")
    table: dict[str, Any] = {key: f"{found[key]} of {asked[key]}" for key in sorted(asked)}
    whole = {lang: f"{sum(v for k, v in found.items() if k.endswith(lang))} of {sum(v for k, v in asked.items() if k.endswith(lang))}" for lang in ("en", "zh")}
    sys.stdout.write(json.dumps({"found": table, "all": whole, "sound": dict(sorted(alarms.items()))}, ensure_ascii=False, indent=1) + "\n")


def _difference(a: str, b: str) -> str:
    n = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), 0)
    return f"   >> {a[max(0, n - 20) : n + 30]!r} => {b[max(0, n - 20) : n + 30]!r}"


if __name__ == "__main__":
    main()
