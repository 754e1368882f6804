"""Weights in the user's data folder, and those that ship with the package (`shipped/NAME/`, read only).

`weights/NAME/` holds `config.json`, `model.safetensors`, `provenance.json` and, where there are any, `vocab.txt` or `tokenizer.json` and
`domain.npz`. A folder appears only when it is complete: it is written beside its place and moved there. Tensors that the source did not
have are not saved and not invented; the tasks that need them are not served.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from medmpt_backend.errors import BadInput
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.model.network import MedMPT
from medmpt_backend.weights.safe_load import read_checkpoint

MODEL_FILE, CONFIG_FILE, PROVENANCE_FILE = "model.safetensors", "config.json", "provenance.json"
TOKENIZER_FILES = ("vocab.txt", "tokenizer.json")
# As the wanted name: run without any weights.
NO_WEIGHTS = "none"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Stored = Literal["float32", "float16"]

# Which parts a task needs, as prefixes of tensor names.
_ENCODE = ("vision_encoder.", "vision_fusion.")
_TASK_PARTS: dict[str, tuple[str, ...]] = {
    "encode": _ENCODE,
    "report": (*_ENCODE, "vision_to_text.", "text_decoder.", "told."),
    "embed_text": ("text_encoder.", "text_proj."),
    "similarity": (*_ENCODE, "vision_proj_scan.", "text_encoder.", "text_proj."),
    "medication": (*_ENCODE, "text_encoder.", "labs.", "medication.fusion.", "medication.patient_head."),
}


class Provenance(BaseModel):
    """Where weights come from and what they may be used for; shown wherever their output is.

    Attributes:
        name: Name of the folder.
        source: File name that was imported.
        source_sha256: Its digest.
        model_sha256: Digest of `model.safetensors`.
        licence: Terms of use.
        trained_on: What they were trained on, in words.
        synthetic_training: True when no real patient was in the training data: real scans are then out of their domain.
        official: True for the released model's weights.
        laterality_verified: False for official weights, whose training flipped left and right.
        tasks: Tasks that the tensors serve.
        missing: Tensors that the configuration has and the source had not.
        unexpected: Tensors of the source that are not of the layout.
        unused: Number of known tensors without use.
        imported_at: ISO 8601, UTC.
        stored: Number format of the floating-point tensors in the file; the model always reads them as float32.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    source: str
    source_sha256: str
    model_sha256: str
    licence: str
    trained_on: str
    synthetic_training: bool = False
    official: bool = False
    laterality_verified: bool = False
    tasks: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    unused: int = 0
    imported_at: str = ""
    stored: Stored = "float32"
    schema_version: Literal[1] = 1


class LoadedWeights(BaseModel):
    """A checked weights folder."""

    model_config = ConfigDict(frozen=True)

    folder: Path
    config: MedMPTConfig
    provenance: Provenance


def sha256_of(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unique_tensors(model: MedMPT) -> dict[str, Tensor]:
    """Every tensor once, shared ones under their first name."""
    named: dict[str, Tensor] = dict(model.named_parameters(remove_duplicate=True))
    persistent = model.state_dict(keep_vars=True)
    named |= {k: v for k, v in model.named_buffers() if k in persistent}
    return {k: v.detach() for k, v in named.items()}


def skeleton_of(config: MedMPTConfig) -> MedMPT:
    with torch.device("meta"):
        return MedMPT(config)


def merge_tied(state: dict[str, Tensor], model: MedMPT) -> dict[str, Tensor]:
    """Tensors under the first of their shared names; copies of one shared tensor have to be equal."""
    names: dict[int, str] = {}
    out: dict[str, Tensor] = {}
    for name, parameter in model.state_dict(keep_vars=True).items():
        first = names.setdefault(id(parameter), name)
        if name not in state:
            continue
        if first in out and not torch.equal(out[first], state[name]):
            raise BadInput(f"{name!r} and {first!r} are one tensor in MedMPT, but differ in this checkpoint")
        out.setdefault(first, state[name])
    return out


def check_fit(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    for name, wanted in expected.items():
        found = state.get(name)
        if found is None:
            continue
        if found.shape != wanted.shape:
            raise BadInput(f"the checkpoint does not fit: {name!r} has shape {list(found.shape)}, expected {list(wanted.shape)}")
        if found.is_floating_point() and not bool(torch.isfinite(found).all()):
            raise BadInput(f"the checkpoint is damaged: {name!r} holds values that are not finite")
        if found.is_floating_point() != wanted.is_floating_point():
            raise BadInput(f"the checkpoint does not fit: {name!r} has type {found.dtype}, expected {wanted.dtype}")


def served_tasks(config: MedMPTConfig, missing: set[str], tokenizer: bool) -> tuple[str, ...]:
    """Tasks whose every tensor is there; text tasks need the tokenizer as well."""
    tasks: list[str] = []
    for task, parts in _TASK_PARTS.items():
        if task != "encode" and not tokenizer:
            continue
        if task in ("report", "embed_text", "similarity", "medication") and config.text is None:
            continue
        if task == "report" and (config.text is None or not config.text.decoder_layers):
            continue
        if task in ("embed_text", "similarity", "medication") and (config.text is None or not config.text.layers):
            continue
        if task == "medication" and (config.medication is None or config.labs is None or not config.medication.drugs):
            continue
        if not any(name.startswith(parts) for name in missing):
            tasks.append(task)
    ends = {
        name: (f"heads.{name}.", f"patch_heads.{name}.", f"patch_mix.{name}", *((f"spot_heads.{name}.", "spots.") if head.spots else ()))
        for name, head in config.heads.items()
    }
    complete = [name for name, prefixes in ends.items() if not any(key.startswith(prefixes) for key in missing)]
    return (*tasks, *complete) if "encode" in tasks else tuple(tasks)


def as_stored(tensors: Mapping[str, Tensor], stored: Stored) -> dict[str, Tensor]:
    """Tensors as they go to the file: contiguous, floating-point ones in the stored format.

    Raises:
        BadInput: A value is too large for half precision.
    """
    out: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        kept = tensor.to(torch.float16) if stored == "float16" and tensor.is_floating_point() else tensor
        if kept is not tensor and not torch.equal(kept.isfinite(), tensor.isfinite()):
            raise BadInput(f"{name!r} holds {float(tensor.abs().max()):g}, more than half precision can hold; store float32")
        out[name] = kept.contiguous()
    return out


def write_weights(
    root: Path,
    config: MedMPTConfig,
    tensors: Mapping[str, Tensor],
    describe: Callable[[str], Provenance],
    extra_files: Mapping[str, Path] | None = None,
    extra_bytes: Mapping[str, bytes] | None = None,
    stored: Stored = "float32",
) -> Path:
    """Write a complete folder beside its place and move it there.

    Args:
        root: The `weights` folder.
        config: Goes to `config.json`.
        tensors: Unique tensors.
        describe: Makes the provenance from the digest of the written tensors.
        extra_files: File name to a file that is copied (tokenizer).
        extra_bytes: File name to content (domain statistics).
        stored: Number format of the file; recorded in the provenance.
    """
    from safetensors.torch import save_file

    root.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".import-", dir=root))
    try:
        save_file(as_stored(tensors, stored), staging / MODEL_FILE)
        provenance = describe(sha256_of(staging / MODEL_FILE)).model_copy(update={"stored": stored})
        (staging / CONFIG_FILE).write_text(config.model_dump_json(indent=1), encoding="utf-8")
        (staging / PROVENANCE_FILE).write_text(provenance.model_dump_json(indent=1), encoding="utf-8")
        for name, path in (extra_files or {}).items():
            shutil.copyfile(path, staging / name)
        for name, content in (extra_bytes or {}).items():
            (staging / name).write_bytes(content)
        staging.chmod(0o755)
        target = root / provenance.name
        old = root / f".old-{provenance.name}-{os.getpid()}"
        if target.exists():
            target.rename(old)
        staging.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return target


def check_name(name: str) -> str:
    """A name that is a plain folder name.

    Raises:
        BadInput: It is not.
    """
    if not _NAME.fullmatch(name) or name == NO_WEIGHTS:
        raise BadInput(f"{name!r} cannot name weights; use letters, digits, '.', '_' and '-'")
    return name


def tokenizer_files(folder: Path | None) -> dict[str, Path]:
    if folder is None:
        return {}
    files = {name: folder / name for name in TOKENIZER_FILES if (folder / name).is_file()}
    if not files:
        raise BadInput(f"{str(folder)!r} holds no tokenizer: neither {' nor '.join(TOKENIZER_FILES)}")
    return files


def save_weights(
    root: Path,
    model: MedMPT,
    name: str,
    *,
    licence: str,
    trained_on: str,
    synthetic_training: bool,
    source: str = "training",
    tokenizer: Path | None = None,
    domain: bytes | None = None,
    laterality_verified: bool = False,
    missing: Collection[str] = (),
    stored: Stored = "float32",
    extra_bytes: Mapping[str, bytes] | None = None,
) -> Path:
    """Write our own trained model as a weights folder; its configuration is `model.config`.

    Args:
        root: The `weights` folder.
        model: Complete model.
        name: Folder name.
        licence: Terms of use.
        trained_on: In words.
        synthetic_training: No real patient was in the training data.
        source: What made it.
        tokenizer: Folder with `vocab.txt` or `tokenizer.json`.
        domain: Content of `domain.npz` (`domain.DomainModel.to_bytes`).
        laterality_verified: Training kept left and right apart.
        missing: Tensors that were never trained; they are left out, and the tasks that need them are not served.
        stored: `float16` halves the file; the model reads it as float32.
        extra_bytes: More files of the folder, name to content (model card, reference cases).
    """
    extra = tokenizer_files(tokenizer)
    tensors = {k: v.cpu() for k, v in unique_tensors(model).items() if k not in missing}

    def describe(digest: str) -> Provenance:
        return Provenance(
            name=check_name(name),
            source=source,
            source_sha256=digest,
            model_sha256=digest,
            licence=licence,
            trained_on=trained_on,
            synthetic_training=synthetic_training,
            laterality_verified=laterality_verified,
            tasks=served_tasks(model.config, set(missing), bool(extra)),
            missing=tuple(sorted(missing)),
            imported_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    files = {**({"domain.npz": domain} if domain else {}), **(extra_bytes or {})}
    return write_weights(root, model.config, tensors, describe, extra, files, stored)


def read_weights(folder: Path) -> LoadedWeights:
    """Configuration and provenance of a weights folder.

    Raises:
        BadInput: A file is missing or damaged.
    """
    try:
        config = MedMPTConfig.model_validate_json((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        provenance = Provenance.model_validate_json((folder / PROVENANCE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        raise BadInput(f"{folder.name!r} is not a complete weights folder: {str(error)[:300]}") from error
    return LoadedWeights(folder=folder, config=config, provenance=provenance)


def load_model(weights: LoadedWeights) -> MedMPT:
    """The model with its tensors; parts that the weights do not have stay without data, so that using them fails.

    Raises:
        BadInput: Tensors are damaged, missing or of another shape.
    """
    state = read_checkpoint(weights.folder / MODEL_FILE).tensors
    if weights.provenance.stored == "float16":
        state = {name: t.float() if t.dtype == torch.float16 else t for name, t in state.items()}
    model = skeleton_of(weights.config)
    expected = unique_tensors(model)
    check_fit(state, expected)
    missing = set(expected) - set(state) - set(weights.provenance.missing)
    if missing or set(state) - set(expected):
        odd = sorted(missing or set(state) - set(expected))
        raise BadInput(f"weights {weights.provenance.name!r} do not fit their configuration: {odd[0]!r} ({len(odd)} tensors)")
    model.load_state_dict(state, strict=False, assign=True)
    model.retie()
    return model.eval().requires_grad_(False)
