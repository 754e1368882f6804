"""The container files built and run on a real Docker daemon: what docs/hospital.md says of them holds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.containers import missing

ROOT = Path(__file__).parents[1]


pytestmark = [pytest.mark.slow, pytest.mark.timeout(5400)]


def test_the_image_and_the_stack_do_what_the_page_says(tmp_path: Path) -> None:
    """Half an hour on two busy cores; MEDMPT_WHEELS names a folder of wheels that pip takes first (a CPU build of torch)."""
    lacking = missing()
    if lacking is not None:
        pytest.skip(lacking)
    wheels = os.environ.get("MEDMPT_WHEELS")
    options = ["--wheels", wheels] if wheels else []
    command = [sys.executable, ROOT / "scripts" / "containers.py", *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all steps held" in done.stdout
