"""Make a folder of trained weights ready to ship: half precision, report openings, reference cases, model card."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from medmpt_backend.inference.reference import ReferenceCases, build
from medmpt_backend.inference.training_domain import DOMAIN_FILE
from medmpt_backend.messages import patterns
from medmpt_backend.weights.checkpoint import MODEL_FILE, TOKENIZER_FILES, Provenance, check_name, read_weights, write_weights
from medmpt_backend.weights.safe_load import read_checkpoint

# What the cohort's reports begin with (`cohort.reports`): the decoder is made to begin so in the reader's language.
OPENINGS = dict(patterns("medmpt_backend.inference")["report_openings"])


@dataclass(frozen=True)
class PublishPlan:
    """What to ship.

    Attributes:
        source: Weights folder.
        root: Folder that the result goes into (`medmpt_backend/shipped`).
        name: Name of the result.
        card: Model card that becomes `README.md`; None to leave it out.
        cases: Number of reference cases.
        seed: Seed of their cohort, which must not be one that was trained on.
        laterality_verified: Training kept left and right apart.
    """

    source: Path
    root: Path
    name: str
    card: Path | None = None
    cases: int = 300
    seed: int = 9001
    laterality_verified: bool = False


def publish(plan: PublishPlan, cache_dir: Path, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Write the folder `root/name`; returns it.

    Raises:
        BadInput: The weights are damaged, or hold values that half precision cannot.
    """
    weights = read_weights(plan.source)
    decode = weights.config.decode.model_copy(update={"openings": OPENINGS if weights.config.text is not None else {}})
    config = weights.config.model_copy(update={"decode": decode})
    verified = plan.laterality_verified or weights.provenance.laterality_verified

    def describe(digest: str) -> Provenance:
        changed = {"name": check_name(plan.name), "model_sha256": digest, "laterality_verified": verified}
        return weights.provenance.model_copy(update=changed)

    extra = {n: plan.source / n for n in (*TOKENIZER_FILES, DOMAIN_FILE) if (plan.source / n).is_file()}
    if plan.card is not None:
        extra["README.md"] = plan.card
    tensors = read_checkpoint(plan.source / MODEL_FILE).tensors
    folder = write_weights(plan.root, config, tensors, describe, extra, stored="float16")
    if plan.cases:
        reference_cases(folder, cache_dir, plan.cases, plan.seed, progress).write(folder)
    return folder


def reference_cases(folder: Path, cache_dir: Path, n: int, seed: int, progress: Callable[[str], None] = lambda _: None) -> ReferenceCases:
    """Generate `n` virtual studies of `seed` and embed them with the weights of `folder`."""
    from medmpt_backend.cohort.studies import TRAINING_SHAPE, CohortStudy, generate
    from medmpt_backend.inference.engine import MedMPTEngine

    def studies() -> Iterator[CohortStudy]:
        for index in range(n):
            yield generate(seed, index, TRAINING_SHAPE)

    return build(MedMPTEngine.open(folder, cache_dir, in_memory=1), studies(), progress)
