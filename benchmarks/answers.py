"""The product's answers beside a plain baseline on a question file: the two best passages of the bare ranking, printed whole.

Run from the checkout: `python benchmarks/answers.py FILE [--room 1200]`. The file has the format of `../shared/questions` (a question is
right when every pattern of `facts` is found, and none of `forbidden`). Prints one JSON object: facts held by the first, by either of the
first two, by any of the first five and by any passage at all; by the baseline in `room` characters; by the product in its first `room`
and in its first 1,500 characters; refusals, characters, and seconds of a warm answer. Both rank the same index in the same run.
"""

import argparse
import json
import re
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.assistant import Assistant
from agent.settings import Settings
from retrieval.guidelines.passages import Passage
from retrieval.guidelines.question import understand
from retrieval.guidelines.sizes import shift, size_of
from retrieval.index.candidates import gather
from retrieval.index.guideline_index import GuidelineIndex
from retrieval.index.rerank import Ranker

ROOM, READ = 1200, 1500


def bare(index: GuidelineIndex, text: str) -> list[Passage]:
    """Current passages in the order of the ranker, without threshold and without abstention."""
    shard, lexicon, embedder = index.rankers
    question = understand(text, lexicon, shard.lexical.vocabulary, {})
    current = np.asarray([p.guideline.status == "current" for p in shard.passages])
    found = gather(shard, question, embedder.encode([question.rendered or question.text])[0], (), current)
    size = size_of(question.text)
    scores = Ranker.load().score(found.features(), [shift(size, shard.passages[r]) for r in found.rows])
    return [shard.passages[found.rows[i]] for i in np.argsort(-scores, kind="stable")]


def holds(row: dict[str, list[str]], text: str) -> bool:
    """Whether a text holds every fact of a question and nothing that is forbidden."""
    return all(re.search(p, text, re.I) for p in row["facts"]) and not any(re.search(p, text, re.I) for p in row.get("forbidden", []))


def measure(rows: Sequence[dict[str, object]], room: int, settings: Settings) -> dict[str, object]:
    """All figures, by language."""
    index = GuidelineIndex.open(settings.cache_dir)
    assistant = Assistant.open(settings)
    held: dict[str, dict[str, int]] = {}
    seconds: list[float] = []
    lengths: list[int] = []
    for row in rows:
        counts = held.setdefault(str(row["lang"]), {})
        for name, value in _of_row(row, index, assistant, room, seconds, lengths).items():
            counts[name] = counts.get(name, 0) + int(value)
    warm = sorted(seconds[1:])
    assistant.close()
    return {
        **held,
        "characters_median": statistics.median(lengths),
        "warm_median_s": round(statistics.median(warm), 3),
        "warm_p95_s": round(warm[int(0.95 * (len(warm) - 1))], 3),
    }


def _of_row(
    row: dict[str, object], index: GuidelineIndex, assistant: Assistant, room: int, seconds: list[float], lengths: list[int]
) -> dict[str, bool]:
    question, chinese = str(row["q"]), row["lang"] == "zh"
    texts = [p.text_zh if chinese else p.text for p in bare(index, question)]
    start = time.perf_counter()
    done = [e for e in assistant.ask(question, thread=assistant.new_thread("bench"), case=None, session="bench") if e.type == "done"][-1]
    seconds.append(time.perf_counter() - start)
    said = re.sub(r"[*_`]", "", done.answer.answer).replace(question, "").strip()
    lengths.append(len(said))
    facts = {"facts": row["facts"], "forbidden": []}
    return {
        "n": True,
        "first": holds(facts, texts[0]),  # type: ignore[arg-type]
        "first_two": any(holds(facts, t) for t in texts[:2]),  # type: ignore[arg-type]
        "first_five": any(holds(facts, t) for t in texts[:5]),  # type: ignore[arg-type]
        "any_passage": any(holds(facts, p.text_zh if chinese else p.text) for p in index.passages()),  # type: ignore[arg-type]
        "baseline": holds(row, " ".join(texts[:2])[:room]),  # type: ignore[arg-type]
        "product_same_room": holds(row, said[:room]),  # type: ignore[arg-type]
        "product": holds(row, said[:READ]),  # type: ignore[arg-type]
        "refused": done.answer.status == "refused",
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--room", type=int, default=ROOM)
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.file.read_text(encoding="utf-8").splitlines() if line.strip()]
    print(json.dumps(measure(rows, args.room, Settings.from_environment())))


if __name__ == "__main__":
    main()
