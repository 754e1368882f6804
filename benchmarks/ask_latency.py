"""Seconds of `ask` on a demo case with everything warm, and of a cold `medmpt ask`.

Run from the checkout: `python benchmarks/ask_latency.py [RUNS]`. Prints one JSON object.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agent.assistant import Assistant
from agent.evaluation.question_set import case_folder
from agent.settings import Settings

TRIO = "Interpret the labs, compute CURB-65 and say what the guideline recommends"
COLD = "What oxygen saturation does the guideline recommend in hypercapnic respiratory failure?"


def warm(place: Path, runs: int) -> list[float]:
    """Seconds of each warm turn: labs, score and guideline."""
    assistant = Assistant.open(Settings(data_dir=place / "data", cache_dir=place / "cache"))
    case = assistant.open_case(case_folder("demo-cap-01"), session="bench").handle
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        list(assistant.ask(TRIO, thread=assistant.new_thread("bench"), case=case, session="bench"))
        seconds.append(time.perf_counter() - start)
    assistant.close()
    return seconds[1:]


def cold(place: Path) -> float:
    """Seconds of the command in a new process, index built."""
    import os

    environment = {**os.environ, "MEDMPT_DATA_DIR": str(place / "data"), "MEDMPT_CACHE_DIR": str(place / "cache")}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "ui.cli", "ask", COLD, "--json"], check=True, env=environment, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as folder:
        times = warm(Path(folder), runs)
        found = {"warm_median_s": statistics.median(times), "warm_max_s": max(times), "runs": runs, "cold_s": cold(Path(folder))}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
