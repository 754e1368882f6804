"""What is fitted above the slices, one after the other: all at once, then heads, language parts and medication alone, each until the
validation studies stop improving.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from medmpt_backend.model.medication import medication_loss
from medmpt_backend.model.network import MedMPT
from medmpt_backend.model.precision import fast
from medmpt_backend.train.frozen import HeadFeatures, Noise, batches, fused, logits_of, no_noise, told
from medmpt_backend.train.tasks import head_loss, match_loss, next_token_loss

# All at once: rounds, rounds without gain, rate; and of the language parts alone.
_ROUNDS, _WITHOUT_GAIN, _READ_RATE = 16, 4, 8e-4
_TEXT_ROUNDS, _TEXT_WITHOUT_GAIN, _TEXT_RATE = 30, 5, 8e-4
_STEPS, _PATIENCE, _RATE, _DECAY, _NOISE = 600, 60, 2e-3, 0.02, 0.1
# The medication part: steps, studies per step, steps between looks at the validation studies, looks without gain, rate.
_DRUG_STEPS, _DRUG_BATCH, _DRUG_LOOK, _DRUG_PATIENCE, _DRUG_RATE = 800, 128, 20, 6, 1e-3


def readout_losses(
    model: MedMPT, features: HeadFeatures, rows: Tensor, noise: Noise = no_noise, text: tuple[Tensor, Tensor] | None = None
) -> dict[str, Tensor]:
    """Loss of each head, of the report and of its match with the scans among these rows; `text` stands in for the reports."""
    scan, tokens = fused(model, features, rows, noise)
    losses = {}
    for task in model.heads:
        logits = model.heads[task](scan)
        if task in features.strongest:
            logits = logits + model.mixed(task, noise(task, features.strongest[task][rows]))
        losses[task] = head_loss(logits, features.targets[task][rows])
    if model.text_decoder is not None and features.reports is not None:
        evidence = told(model, features, rows, scan, noise)
        losses |= _language_losses(model, scan, model.memory(tokens, evidence), text or _rows(features.reports, rows))
    return losses


def _rows(parts: tuple[Tensor, Tensor], rows: Tensor) -> tuple[Tensor, Tensor]:
    return parts[0][rows], parts[1][rows]


def _language_losses(model: MedMPT, scan: Tensor, memory: Tensor, text: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
    assert model.text_decoder is not None
    ids, mask = text
    projected = model.project_text(model.encode_text(ids, mask))
    return {
        "report": next_token_loss(model.text_decoder(ids, memory, mask), ids, model.text_decoder.config.pad),
        "match": match_loss(model.project_scan(scan), projected, model.temp_multimodal),
    }


def _worded(features: HeadFeatures, rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor] | None:
    """The reports of some rows, each in one of its wordings."""
    if features.wordings is None:
        return None
    ids, mask = features.wordings
    which = torch.randint(len(ids), (len(rows),), generator=generator)
    return ids[which, rows], mask[which, rows]


def _noise(features: HeadFeatures, generator: torch.Generator) -> Noise:
    """Normal noise of a tenth of each figure's deviation among the studies."""
    spread = {"cls": features.cls.std((0, 1)), **{task: x.std(0) for task, x in features.strongest.items()}}
    spread |= {f"zones/{task}": x.std(0) for task, x in features.zones.items()}
    spread |= {name: x.std((0, 1)) for name, x in (("digest", features.digest), ("tokens", features.tokens)) if x is not None}
    spread |= {"scan": features.scan.std(0)} if features.scan is not None else {}
    return lambda name, x: x + torch.randn(x.shape, generator=generator) * (_NOISE * spread[name])


def fit_readout(
    model: MedMPT, train: HeadFeatures, held_out: HeadFeatures, seed: int = 0, progress: Callable[[int], None] = lambda _: None
) -> dict[str, tuple[float, float]]:
    """Fit fusion, summary, heads and language parts together; keeps the lowest sum of validation losses.

    Returns:
        Head, `report` and `match` to validation loss before and after; the match is that among all validation studies.
    """
    names = ("vision_fusion", "summary", "heads", "patch_mix", "text_encoder", "text_decoder", "vision_to_text", "told", "text_proj")
    parts: list[nn.Module] = [p for name in (*names, "vision_proj_scan") if (p := getattr(model, name)) is not None]
    shared = {id(p): p for part in parts for p in part.parameters()}
    parameters = [*shared.values(), model.temp_multimodal]
    for parameter in parameters:
        parameter.requires_grad_(True)
    generator = torch.Generator().manual_seed(seed)
    everyone, device = torch.arange(len(held_out)), train.cls.device

    if model.summary is not None and train.digest is not None:
        model.summary.standardise(train.digest)
    noise = _noise(train, generator)

    def validate() -> dict[str, float]:
        with torch.no_grad(), fast(device):
            return {name: float(loss) for name, loss in readout_losses(model, held_out, everyone).items()}

    def step(rows: Tensor) -> dict[str, Tensor]:
        return readout_losses(model, train, rows, noise, _worded(train, rows, generator))

    return _in_rounds(parameters, train, step, validate, (_ROUNDS, _WITHOUT_GAIN, _READ_RATE), generator, progress)


def _in_rounds(
    parameters: list[nn.Parameter],
    train: HeadFeatures,
    step: Callable[[Tensor], dict[str, Tensor]],
    validate: Callable[[], dict[str, float]],
    limits: tuple[int, int, float],
    generator: torch.Generator,
    progress: Callable[[int], None],
) -> dict[str, tuple[float, float]]:
    """Rounds over the training studies on a cosine rate, until the sum of validation losses stops falling; keeps the lowest.

    Args:
        parameters: What is trained.
        train: Studies of which `step` gets rows.
        step: Rows to losses.
        validate: Validation losses.
        limits: Most rounds, rounds without gain, first rate.
        generator: Source of the order.
        progress: Told how many studies were seen.

    Returns:
        Each loss to its validation value before and after.
    """
    rounds, patience, rate = limits
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=_DECAY)
    first = best = validate()
    kept, waited = [p.detach().clone() for p in parameters], 0
    for turn in range(rounds):
        for group in optimizer.param_groups:
            group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * turn / rounds))
        for rows in batches(torch.randperm(len(train), generator=generator)):
            optimizer.zero_grad(set_to_none=True)
            with fast(train.cls.device):
                losses = step(rows)
            torch.stack([loss.float() for loss in losses.values()]).sum().backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, 3.0)
            optimizer.step()
        progress(len(train))
        value, waited = validate(), waited + 1
        if sum(value.values()) < sum(best.values()):
            best, waited, kept = value, 0, [p.detach().clone() for p in parameters]
        if waited >= patience:
            break
    _restore(parameters, kept)
    return {name: (first[name], best[name]) for name in best}


@torch.no_grad()
def _restore(parameters: list[nn.Parameter], kept: list[Tensor]) -> None:
    for parameter, value in zip(parameters, kept, strict=True):
        parameter.copy_(value)


def fit_head(model: MedMPT, task: str, train: HeadFeatures, held_out: HeadFeatures, seed: int = 0) -> tuple[float, float]:
    """Fit one head alone by full batches of AdamW with noise on the embeddings; keeps the lowest validation loss.

    Returns:
        Validation loss before and after; equal where nothing was gained, and then the head is as it was.
    """
    assert train.scan is not None
    torch.manual_seed(seed)
    parameters = [*model.heads[task].parameters(), *([model.patch_mix[task]] if task in model.patch_mix else [])]
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(parameters, lr=_RATE, weight_decay=_DECAY)
    scan, spread = train.scan, train.scan.std(0)

    def validate() -> float:
        with torch.no_grad():
            return float(head_loss(logits_of(model, task, held_out), held_out.targets[task]))

    best = first = validate()
    kept, waited = [p.detach().clone() for p in parameters], 0
    for _ in range(_STEPS):
        optimizer.zero_grad(set_to_none=True)
        noisy = scan + torch.randn_like(scan) * spread * _NOISE
        head_loss(logits_of(model, task, train, noisy), train.targets[task]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        value = validate()
        waited += 1
        if value < best:
            best, waited, kept = value, 0, [p.detach().clone() for p in parameters]
        if waited >= _PATIENCE:
            break
    _restore(parameters, kept)
    return first, best


def fit_language(
    model: MedMPT, train: HeadFeatures, held_out: HeadFeatures, seed: int = 0, progress: Callable[[int], None] = lambda _: None
) -> dict[str, tuple[float, float]]:
    """Fit the parts that read and write reports alone, on wordings drawn anew each round; scans, heads and what is told stay.

    Returns:
        `report` and `match` to validation loss before and after; kept is the lowest sum.
    """
    assert train.scan is not None
    assert train.tokens is not None
    assert train.reports is not None
    names = ("text_encoder", "text_decoder", "vision_to_text", "told", "text_proj", "vision_proj_scan")
    shared = {id(p): p for name in names if (part := getattr(model, name)) is not None for p in part.parameters()}
    parameters = [*shared.values(), model.temp_multimodal]
    for parameter in parameters:
        parameter.requires_grad_(True)
    generator = torch.Generator().manual_seed(seed)
    device, noise = train.cls.device, _noise(train, generator)

    def losses_of(features: HeadFeatures, rows: Tensor, noise: Noise, text: tuple[Tensor, Tensor] | None) -> dict[str, Tensor]:
        assert features.scan is not None
        assert features.tokens is not None
        assert features.reports is not None
        scan = features.scan[rows]
        with torch.no_grad():
            evidence = told(model, features, rows, scan, noise)
        memory = model.memory(noise("tokens", features.tokens[rows]), evidence)
        return _language_losses(model, noise("scan", scan), memory, text or _rows(features.reports, rows))

    def validate() -> dict[str, float]:
        with torch.no_grad(), fast(device):
            return {name: float(loss) for name, loss in losses_of(held_out, torch.arange(len(held_out)), no_noise, None).items()}

    def step(rows: Tensor) -> dict[str, Tensor]:
        return losses_of(train, rows, noise, _worded(train, rows, generator))

    return _in_rounds(parameters, train, step, validate, (_TEXT_ROUNDS, _TEXT_WITHOUT_GAIN, _TEXT_RATE), generator, progress)


def prescription_loss_of(model: MedMPT, features: HeadFeatures, rows: Tensor, present: Tensor) -> Tensor:
    """Loss of the medication part on some rows; `present` `(rows, 3)` bool says whether CT, report and laboratory may be used."""
    assert model.labs is not None
    assert model.medication is not None
    assert features.labs is not None
    assert features.text is not None
    assert features.scan is not None
    values, missing = (part[rows] for part in features.labs)
    panel = model.labs(values.to(features.scan.dtype), missing)[:, 0]
    medication, patient = model.medication([features.scan[rows], features.text[rows], panel], present)
    return medication_loss(medication, patient, features.targets["medication"][rows])


def fit_medication(model: MedMPT, train: HeadFeatures, held_out: HeadFeatures, seed: int = 0) -> tuple[float, float]:
    """Fit laboratory encoder and medication part, half of the time without the report: patients are seen before one is written.

    Returns:
        Validation loss before and after, the mean over with and without report.
    """
    assert model.labs is not None
    assert model.medication is not None
    generator = torch.Generator().manual_seed(seed)
    parameters = [*model.labs.parameters(), *model.medication.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(parameters, lr=_DRUG_RATE, weight_decay=_DECAY)
    everyone = torch.arange(len(held_out))
    ways = [torch.tensor(way).expand(len(everyone), 3) for way in ((True, True, True), (True, False, True))]

    def validate() -> float:
        with torch.no_grad():
            return float(torch.stack([prescription_loss_of(model, held_out, everyone, way) for way in ways]).mean())

    best = first = validate()
    kept, waited = [p.detach().clone() for p in parameters], 0
    for step in range(_DRUG_STEPS):
        rows = torch.randperm(len(train), generator=generator)[:_DRUG_BATCH]
        present = torch.rand((len(rows), 3), generator=generator) > torch.tensor([0.1, 0.5, 0.1])
        present[:, 2] |= ~present.any(1)
        optimizer.zero_grad(set_to_none=True)
        prescription_loss_of(model, train, rows, present).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if (step + 1) % _DRUG_LOOK:
            continue
        value, waited = validate(), waited + 1
        if value < best:
            best, waited, kept = value, 0, [p.detach().clone() for p in parameters]
        if waited >= _DRUG_PATIENCE:
            break
    _restore(parameters, kept)
    return first, best
