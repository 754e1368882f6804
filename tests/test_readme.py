"""The README's `bash` blocks, run as a newcomer would; tagged so that `make test` does not call itself."""

import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
LINES = [line.split("#")[0].strip() for block in BLOCKS for line in block.splitlines() if line.split("#")[0].strip()]

pytestmark = [pytest.mark.readme, pytest.mark.timeout(3000)]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("newcomer") / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(target)], check=True)
    shared = ROOT.parent / "shared"
    if shared.is_dir():
        (target.parent / "shared").symlink_to(shared)
    return target


def test_there_are_blocks_to_run() -> None:
    assert "make serve" in LINES
    assert "make test" in LINES
    assert any(line.startswith(".venv/bin/medmpt ask") for line in LINES)


def test_make_serve_opens_the_page(clone: Path) -> None:
    process = subprocess.Popen(["make", "serve", "ARGS=--port 7899"], cwd=clone, start_new_session=True)
    try:
        until = time.monotonic() + 1500
        while time.monotonic() < until:
            assert process.poll() is None, "make serve ended"
            try:
                with urllib.request.urlopen("http://127.0.0.1:7899/", timeout=5) as page:
                    assert page.status == 200
                    return
            except urllib.error.URLError:
                time.sleep(2)
        pytest.fail("the page did not open")
    finally:
        subprocess.run(["kill", "--", f"-{process.pid}"], check=False)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith(".venv/bin/medmpt")])
def test_each_command_runs(line: str, clone: Path) -> None:
    assert shutil.which("bash")
    done = subprocess.run(["bash", "-c", line], cwd=clone, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
