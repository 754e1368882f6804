"""Several users at once on one assistant: seconds of a turn, and whether each answer is about its own patient.

    python benchmarks/users.py [--users 20] [--turns 3]

Every user has a session, a case and a thread of their own; all ask at the same time. Prints one JSON object; exits 1 where an answer was
about another patient or a turn failed.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agent.assistant import Assistant
from agent.settings import Settings

WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
QUESTIONS = ("Interpret the labs", "Compute CURB-65", "What does the guideline recommend?", "Check the medicines", WORDS["summary"])


def main() -> None:
    """Ask together, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    seconds: list[float] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder) / "data", cache_dir=Settings.from_environment().cache_dir)
        assistant = Assistant.open(settings)
        cases = [c.id for c in assistant.demo_cases()]
        start = threading.Barrier(given.users)

        def user(n: int) -> None:
            session, source = f"user-{n}", cases[n % len(cases)]
            handle, thread = assistant.open_case(source, session=session).handle, assistant.new_thread(session)
            about = None
            start.wait()
            for turn in range(given.turns):
                began = time.perf_counter()
                answer = list(
                    assistant.ask(QUESTIONS[(n + turn) % len(QUESTIONS)], thread=thread, case=handle, session=session, language="en")
                )[-1].answer
                seconds.append(time.perf_counter() - began)
                about = about or answer.patient
                if answer.status == "error" or answer.patient != about or answer.thread != thread:
                    wrong.append(f"user {n}: {answer.status}, {answer.patient}")
            if len(assistant.history(thread, session)) != given.turns:
                wrong.append(f"user {n}: turns are missing from the thread")

        threads = [threading.Thread(target=user, args=(n,)) for n in range(given.users)]
        began = time.perf_counter()
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        total = time.perf_counter() - began
        assistant.close()
    figures = {"median_s": statistics.median(seconds), "longest_s": max(seconds), "total_s": total}
    print(json.dumps({"users": given.users, "turns": len(seconds), **{k: round(v, 2) for k, v in figures.items()}, "wrong": wrong}))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
