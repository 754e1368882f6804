"""A long conversation: size of the thread database, memory, and time of a turn, first ten against last ten (wall and own CPU time).

    python benchmarks/threads.py [--turns 1000]

Runs the planner on a demo case in a temporary folder; prints one JSON object.
"""

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agent.assistant import Assistant
from agent.settings import Settings

QUESTIONS = ("Interpret the labs", "Compute CURB-65", "What does the guideline recommend?", "Check the medicines")


def resident_mb() -> float:
    """What this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    """Ask, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=1000)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder) / "data", cache_dir=Settings.from_environment().cache_dir)
        assistant = Assistant.open(settings)
        case, thread = assistant.open_case("demo-cap-01", session="s").handle, assistant.new_thread("s")
        seconds, spent, held = [], [], []
        for n in range(turns):
            start, used = time.perf_counter(), time.process_time()
            list(assistant.ask(QUESTIONS[n % len(QUESTIONS)], thread=thread, case=case, session="s"))
            seconds.append(time.perf_counter() - start)
            spent.append(time.process_time() - used)
            held.append(resident_mb())
        size = sum(f.stat().st_size for f in settings.data_dir.iterdir())
        assistant.close()
    first, last = statistics.median(seconds[4:14]), statistics.median(seconds[-10:])
    cpu = [statistics.median(spent[4:14]), statistics.median(spent[-10:])]
    figures = {
        "first_s": first,
        "last_s": last,
        "ratio": last / first,
        "first_cpu_s": cpu[0],
        "last_cpu_s": cpu[1],
        "cpu_ratio": cpu[1] / cpu[0],
        "resident_mb_after_100": held[min(99, len(held) - 1)],
        "resident_mb_at_half": held[len(held) // 2],
        "resident_mb_at_end": held[-1],
    }
    print(json.dumps({"turns": turns, "megabytes": round(size / 1e6, 2), **{k: round(v, 3) for k, v in figures.items()}}))


if __name__ == "__main__":
    main()
