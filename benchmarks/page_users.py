#!/usr/bin/env python3
"""Many users at the page at once, over HTTP: each scrolls through a CT, asks, and reads its labs; `python benchmarks/page_users.py`.

One server of the real page in this process; `--users 20` clients with a cookie and a tab of their own open a case each (demo cases in turn,
every one with a CT), all at the same moment. Each then steps through `--slices 40` planes in three directions as a person scrolls (the next
plane when the last has come), asks one question over the socket of the page, and fetches the patient's tables. A reply is wrong when its
status is, when a plane is not that of the user's own study, or when a word of another case stands in it. Prints one JSON object: replies,
errors, seconds of a plane, of a table and of an answer (median, 95th percentile, longest), load and memory; exits 1 with anything wrong.
"""

import argparse
import hashlib
import json
import os
import resource
import secrets
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from agent.assistant import Assistant
from agent.settings import Settings
from benchmarks.loopback import on_loopback
from ui.app import build
from ui.cli.serve import warm_up

QUESTION = "Interpret the labs"
PANELS = ("labs", "drugs", "timeline")


@dataclass
class Tally:
    """What all users saw."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"plane": [], "table": [], "first_slice": [], "answer": []})
    wrong: list[str] = field(default_factory=list)
    planes: dict[tuple[str, str, int], str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def timed(self, kind: str, seconds: float) -> None:
        """One reply."""
        with self.lock:
            self.seconds[kind].append(seconds)

    def fault(self, said: str) -> None:
        """Something wrong."""
        with self.lock:
            self.wrong.append(said)

    def plane(self, case: str, name: str, index: int, body: bytes) -> None:
        """A plane of the same case is the same for everybody, and that of no other case."""
        seen = hashlib.sha256(body).hexdigest()
        with self.lock:
            first = self.planes.setdefault((case, name, index), seen)
            others = {c for (c, n, i), h in self.planes.items() if h == seen and (n, i) == (name, index) and c != case}
        if first != seen or others:
            self.fault(f"{case}: plane {name} {index} is not its own")


class User:
    """One tab of one browser."""

    def __init__(self, url: str, case: str, tally: Tally, others: tuple[str, ...]) -> None:
        """Nothing is sent."""
        self._case, self._tally, self._others = case, tally, others
        self._web = httpx.Client(base_url=url, headers={"x-medmpt-page": secrets.token_hex(24)}, timeout=300)

    def _get(self, kind: str | None, method: str, path: str, **given: Any) -> httpx.Response:
        began = time.perf_counter()
        reply = self._web.request(method, path, **given)
        if kind is not None:
            self._tally.timed(kind, time.perf_counter() - began)
        if reply.status_code != 200:
            self._tally.fault(f"{self._case}: {reply.status_code} {path.split('?')[0][:60]}")
        return reply

    def walk(self, slices: int, start: threading.Barrier) -> None:
        """Open, look, scroll, ask, read."""
        try:
            self._get(None, "GET", "/")
            start.wait()
            began = time.perf_counter()
            opened = self._get(None, "POST", "/opening/open", json={"source": self._case}).json()
            if not opened["ok"]:
                self._tally.fault(f"{self._case}: {opened['problem']}")
            study = self._get(None, "GET", "/studies").json()["studies"][0]["token"]
            shape = self._get(None, "GET", f"/study/{study}/info").json()["shape"]
            self._plane(study, "axial", shape[0] // 2, None)
            self._tally.timed("first_slice", time.perf_counter() - began)
            for name, deep in zip(("axial", "coronal", "sagittal"), shape, strict=True):
                for index in np.linspace(0, deep - 1, slices // 3 + 1).astype(int):
                    self._plane(study, name, int(index), "plane")
            self._ask()
            for panel in PANELS:
                self._words(self._get("table", "GET", f"/panel/{panel}").text)
        except (httpx.HTTPError, KeyError, IndexError, ValueError) as failure:
            self._tally.fault(f"{self._case}: {type(failure).__name__} {failure}")
        finally:
            self._web.close()

    def _plane(self, study: str, name: str, index: int, kind: str | None) -> None:
        body = self._get(kind, "GET", f"/study/{study}/plane/{name}/{index}").content
        self._tally.plane(self._case, name, index, body)

    def _ask(self) -> None:
        """A question as the page sends it: into the queue, then the stream until it ends."""
        config = self._get(None, "GET", "/config").json()
        asking = next(d["id"] for d in config["dependencies"] if d["targets"] and d["targets"][0][1] == "submit")
        name = secrets.token_hex(5)
        began = time.perf_counter()
        self._get(None, "POST", "/gradio_api/queue/join", json={"data": [QUESTION], "fn_index": asking, "session_hash": name})
        said = ""
        with self._web.stream("GET", f"/gradio_api/queue/data?session_hash={name}") as stream:
            for line in stream.iter_lines():
                said = line if '"process_completed"' in line or '"process_generating"' in line else said
                if '"process_completed"' in line:
                    break
        self._tally.timed("answer", time.perf_counter() - began)
        conversation = self._get(None, "GET", "/conversation/file/md").text
        if QUESTION not in conversation or not said:
            self._tally.fault(f"{self._case}: no answer")
        self._words(conversation)

    def _words(self, text: str) -> None:
        for other in self._others:
            if other in text:
                self._tally.fault(f"{self._case}: says {other}")


def spread(times: list[float]) -> dict[str, float]:
    """Count, median, 95th percentile and longest, in milliseconds."""
    found = {"median": float(np.median(times)), "p95": float(np.percentile(times, 95)), "longest": max(times)}
    return {"n": len(times), **{f"{k}_ms": round(1000 * v, 1) for k, v in found.items()}}


def with_ct(assistant: Assistant) -> list[str]:
    """Demo cases with a CT; each is made here where the cache does not have it yet."""
    found = []
    for case in assistant.demo_cases():
        view = assistant.open_case(case.id, session="make")
        if view.studies:
            assistant.study_info(view.handle, view.studies[0].id, "make")
            found.append(case.id)
    assistant.close_session("make")
    return found


def main() -> int:
    """Serve, let everybody in, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--slices", type=int, default=40)
    given = parser.parse_args()
    tally, start = Tally(), threading.Barrier(given.users)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        assistant = Assistant.open(replace(Settings.from_environment(), data_dir=place / "data"))
        warm_up(assistant, None)
        cases = with_ct(assistant)
        load = round(os.getloadavg()[0], 1)
        began, cpu = time.perf_counter(), time.process_time()
        with on_loopback(build(assistant, files=place / "sessions")) as url:
            users = [User(url, case, tally, tuple(set(cases) - {case})) for case in (cases[n % len(cases)] for n in range(given.users))]
            threads = [threading.Thread(target=user.walk, args=(given.slices, start)) for user in users]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            total, used = time.perf_counter() - began, time.process_time() - cpu
        assistant.close()
    out = {"users": given.users, "cases": len(cases), "load_before": load, "total_s": round(total, 1), "cpu_s": round(used, 1)}
    out |= {kind: spread(times) for kind, times in tally.seconds.items() if times}
    out |= {"peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024), "wrong": tally.wrong}
    json.dump(out, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
