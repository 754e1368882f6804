"""How many claims of the corpus with one slot turned `verify` catches, by kind and language, and how many sound ones it refuses.

python benchmarks/verify_slots.py [EACH] [SEED]
"""

import sys
from collections import defaultdict

from agent.training.fit_opinion import as_evidence
from agent.training.slots import slotted
from agent.verify import check
from retrieval.guidelines.corpus import load_corpus


def main() -> None:
    """Print one line for each kind: refused of made, English and Chinese; then a few that were judged wrongly."""
    each, seed = (int(x) for x in (sys.argv[1:] + ["20", "11"][len(sys.argv) - 1 :])[:2])
    refused: dict[tuple[str, str], list[bool]] = defaultdict(list)
    wrong: list[str] = []
    for made in slotted([p for p in load_corpus().passages if p.guideline.status == "current"], each, seed):
        item = as_evidence(made.passage)
        verdict = check(made.text, (item.key,), {item.key: item})
        refused[made.kind, made.language].append(verdict.support is None)
        if (verdict.support is None) != made.fault:
            wrong.append(f"{made.kind} {made.language} {made.passage.key}: {made.text} -> {verdict.because}")
    for kind in sorted({k for k, _ in refused}):
        cells = [f"{sum(refused[kind, lang])} of {len(refused[kind, lang])}" for lang in ("en", "zh")]
        print(f"{kind:12s} {cells[0]:12s} {cells[1]}")
    print(*wrong, sep="\n")


if __name__ == "__main__":
    main()
