import subprocess
import sys

import pytest

HEAVY = "{'torch', 'gradio', 'transformers', 'chromadb', 'langchain', 'scipy'}"


@pytest.mark.parametrize("arguments", [["--help"], ["search", "--json"], ["serve", "--help"]])
def test_help_and_usage_errors_import_no_heavy_library(arguments: list[str]) -> None:
    code = f"import sys; from ui.cli import main; main({arguments!r}); heavy = {HEAVY} & set(sys.modules); assert not heavy, heavy"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
