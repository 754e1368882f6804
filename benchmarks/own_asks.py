"""Whether the asks of `data/asks` find the passage that they were written for, by the whole search.

Run from the checkout: `python benchmarks/own_asks.py [--sample N]`. Prints one JSON object by language: asks, the share whose own passage
stands first and among the five, the share that comes back empty, and `first_or_twin`: a passage of a newer edition of the same guideline
stands first (for an ask of a replaced edition), or one that holds every figure of one of the ask's answers and at least `SHARED` of its
words (without figures: `SHARED_WORDS`). English asks are in the index themselves; author of passages and asks are one: an upper bound.
"""

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from agent.settings import Settings
from retrieval.concepts.lexicon import language_of
from retrieval.guidelines.asks import read_asks
from retrieval.guidelines.passages import Passage
from retrieval.index.guideline_index import GuidelineIndex

SHARED, SHARED_WORDS = 0.4, 0.7


def figures(text: str) -> frozenset[str]:
    """Numbers of a text."""
    return frozenset(re.findall(r"\d+(?:\.\d+)?", text.replace(",", "")))


def units(text: str) -> frozenset[str]:
    """Words of four letters or more; of a Chinese text its pairs of characters."""
    text = text.lower()
    if language_of(text) == "zh":
        return frozenset(text[i : i + 2] for i in range(len(text) - 1))
    return frozenset(re.findall(r"[a-z]{4,}", text))


def holds(passage: Passage, answer: str) -> bool:
    """Whether a passage says what a sentence of another one says: all its figures and enough of its words."""
    text = passage.text_zh if language_of(answer) == "zh" else passage.text
    wanted = units(answer)
    share = len(wanted & units(text)) / max(len(wanted), 1)
    return figures(answer) <= figures(text) and share >= (SHARED if figures(answer) else SHARED_WORDS)


def is_twin(first: Passage, asked: Passage, row: Mapping[str, Any]) -> bool:
    """Whether the first passage answers as well: a newer edition of the same guideline, or one that holds one of the answers."""
    return first.guideline.id == asked.guideline.superseded_by or any(holds(first, answer) for answer in row["answers"])


def measure(index: GuidelineIndex, sample: int) -> dict[str, dict[str, float]]:
    """All figures, by language."""
    passages = {p.id: p for p in index.passages()}
    rows = [row for row in read_asks() if row["id"] in passages]
    rows = random.Random(0).sample(rows, min(sample, len(rows))) if sample else rows
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        found = [hit.passage.id for hit in index.search(row["q"]).hits]
        first = found[:1] == [row["id"]]
        twin = bool(found) and is_twin(passages[found[0]], passages[row["id"]], row)
        signs = {"asks": True, "first": first, "first_or_twin": first or twin, "five": row["id"] in found, "empty": not found}
        counts.setdefault(row["lang"], Counter()).update({name: int(value) for name, value in signs.items()})
    return {lang: {name: n if name == "asks" else round(n / c["asks"], 3) for name, n in c.items()} for lang, c in sorted(counts.items())}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=0, help="how many asks, drawn with a fixed seed (default: all)")
    arguments = parser.parse_args()
    index = GuidelineIndex.open(Settings.from_environment().cache_dir)
    print(json.dumps(measure(index, arguments.sample), indent=1))
    index.close()


if __name__ == "__main__":
    main()
