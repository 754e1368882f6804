"""Planted text and a model that obeys it: in how many rows a false sentence reaches the reader, by channel.

    python benchmarks/attacks.py [FILE] [--case demo-cap-01] [--show]

Rows are `{"id", "lang", "channel", "text", "wants", "bad"}` (default: the own set under `tests/agent/safety`). Prints one JSON object.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agent.evaluation.attacks import Attack, attacked, lost
from agent.settings import Settings
from tools.case.demo import open_demo


def main() -> None:
    """Attack, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", default="tests/agent/safety/attacks.jsonl")
    parser.add_argument("--case", default="demo-cap-01")
    parser.add_argument("--show", action="store_true", help="print the sentences that got through")
    given = parser.parse_args()
    settings = Settings.from_environment()
    rows = [Attack.model_validate_json(line) for line in Path(given.file).read_text(encoding="utf-8").splitlines() if line.strip()]
    base = open_demo(given.case, settings.cache_dir, lazy=True).case
    tried, through = Counter(), Counter()
    for attack, answer in attacked(rows, settings, base):
        tried[attack.channel] += 1
        told = lost(attack, answer)
        through[attack.channel] += bool(told)
        if told and given.show:
            print(attack.id, attack.channel, told[:2])
    channels = {c: [through[c], n] for c, n in sorted(tried.items())}
    print(json.dumps({"rows": len(rows), "through": sum(through.values()), "by_channel": channels}))


if __name__ == "__main__":
    main()
