"""From a released checkpoint to a weights folder: what fits, what is missing, which tasks are served."""

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from medmpt_backend.errors import BadInput
from medmpt_backend.weights.checkpoint import (
    Provenance,
    check_fit,
    check_name,
    merge_tied,
    read_weights,
    served_tasks,
    sha256_of,
    skeleton_of,
    tokenizer_files,
    unique_tensors,
    write_weights,
)
from medmpt_backend.weights.official_layout import infer_config, translate
from medmpt_backend.weights.safe_load import read_checkpoint

# What the authors state on the weights' page: on request, non-commercial research.
OFFICIAL_LICENCE = "non-commercial research, on request from the authors (Hugging Face liangdi123/MedMPT)"


class ImportReport(BaseModel):
    """What an import found."""

    name: str
    tasks: tuple[str, ...]
    tensors: int
    parameters: int
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    unused: int
    sha256: str
    folder: Path


class ImportOptions(BaseModel):
    """Choices of an import; see `weights import --help`."""

    name: str
    tokenizer: Path | None = None
    licence: str | None = None
    trained_on: str | None = None
    task: str = "screening"
    labels: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
    settings: dict[str, object] = Field(default_factory=dict)


def import_checkpoint(path: Path, root: Path, options: ImportOptions) -> ImportReport:
    """Turn an official checkpoint of any layout into a weights folder.

    Args:
        path: Container, bare state dict or safetensors file.
        root: The `weights` folder.
        options: Name, tokenizer, licence and names of outputs.

    Raises:
        BadInput: It does not fit; nothing was written.
    """
    check_name(options.name)
    extra = tokenizer_files(options.tokenizer)
    raw = read_checkpoint(path)
    translated, unused, unexpected = translate(raw.tensors, options.task)
    state = {k.removeprefix("model."): v for k, v in translated.items() if k.startswith("model.")}
    if not state:
        raise BadInput(f"{path.name!r} holds no tensor of the MedMPT layout; its first key is {next(iter(raw.tensors))!r}")
    try:
        config = infer_config(translated, {**raw.settings, **options.settings}, options.drugs, {options.task: options.labels})
    except (ValidationError, ValueError) as error:
        raise BadInput(f"the checkpoint's shapes make no MedMPT: {error}") from error
    model = skeleton_of(config)
    check_fit(state, model.state_dict(keep_vars=True))
    state = merge_tied(state, model)
    missing = sorted(set(unique_tensors(model)) - set(state))
    tasks = served_tasks(config, set(missing), bool(extra))
    if "encode" not in tasks:
        raise BadInput(f"the checkpoint is incomplete: {missing[0]!r} is missing ({len(missing)} tensors in all)")
    source = sha256_of(path)

    def describe(digest: str) -> Provenance:
        return Provenance(
            name=options.name,
            source=path.name,
            source_sha256=source,
            model_sha256=digest,
            licence=options.licence or OFFICIAL_LICENCE,
            trained_on=options.trained_on or "chest CT and Chinese reports of the released MedMPT, as far as the file says",
            official=True,
            tasks=tasks,
            missing=tuple(missing),
            unexpected=tuple(unexpected),
            unused=len(unused),
            imported_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    folder = write_weights(root, config, state, describe, extra)
    return ImportReport(
        name=options.name,
        tasks=tasks,
        tensors=len(state),
        parameters=sum(v.numel() for v in state.values()),
        missing=tuple(missing),
        unexpected=tuple(unexpected),
        unused=len(unused),
        sha256=read_weights(folder).provenance.model_sha256,
        folder=folder,
    )
