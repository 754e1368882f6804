"""Whether a study looks like what the weights were trained on: Mahalanobis distances of the model's input and of the scan embedding.

A scan embedding alone is a weak witness: a network trained on one kind of image maps strange ones onto familiar ones. So the input itself
is judged too (`appearance`). Each block of statistics has its own Gaussian with a shrunk covariance; the distance of a study is its worst
block, in units of that block's limit, which is the 99.5 % quantile of training studies that did not shape the Gaussian. The limit of the
whole is that quantile again, times a margin.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.errors import BadInput
from medmpt_backend.messages import Said, joined, messages
from medmpt_backend.weights.checkpoint import Provenance

message = messages("medmpt_backend.inference").said

DOMAIN_FILE = "domain.npz"
EMBEDDING = "embedding"
Domain = Literal["in", "out", "unknown"]
Floats = NDArray[np.float32]
# Share of the fitting studies that count as inside.
_INSIDE = 0.995
# Room beyond that quantile. Measured with 512 training studies of the cohort, in units of the quantile: unseen studies reach 1.1, the
# generator's full-size scans 1.5, shuffled or reversed slices 2.9 and more, real scans 6.5 and more.
_MARGIN = 1.9
_FOLDS = 5
# With fewer studies than this none are held out: the quantile would be that of a handful.
_LEAST_HELD_OUT = 25
_WORDS = {
    EMBEDDING: message("what the encoder sees"),
    "intensity": message("its grey values"),
    "layout": message("its anatomy"),
    "texture": message("its noise and sharpness"),
    "stack": message("its run of slices"),
}


@dataclass(frozen=True)
class Validity:
    """How far a result may be trusted; travels with every result.

    Attributes:
        domain: Whether the study is of the kind that the weights were trained on; `unknown` when the weights cannot tell.
        distance: Distance from the training studies; None when the weights carry no statistics.
        weights: Name of the weights.
        trained_on: In words.
        licence: Terms of the weights.
        reason: Why `out` or `unknown`.
        limit: Largest distance that counts as inside.
    """

    domain: Domain
    distance: float | None
    weights: str
    trained_on: str
    licence: str
    reason: str | None = None
    limit: float | None = None


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean `(D,)`, whitening `(D, D)` and the root mean square of whitened training studies that counts as the limit."""

    mean: Floats
    whitening: Floats
    limit: float

    @classmethod
    def fit(cls, rows: Floats) -> "Gaussian":
        """Fit `(N, D)` with a shrunk covariance (Ledoit and Wolf, J Multivar Anal 2004) of standardised columns; the limit is 1."""
        from sklearn.covariance import LedoitWolf

        mean, scale = rows.mean(0, dtype=np.float64), rows.std(0, dtype=np.float64)
        scale = np.where(scale > 1e-6 * (1 + np.abs(mean)), scale, np.maximum(1e-3, 1e-3 * np.abs(mean)))
        fitted = LedoitWolf(assume_centered=True).fit((rows - mean) / scale)
        whitening = np.linalg.cholesky(fitted.precision_) / scale[:, None]
        return cls(mean.astype(np.float32), whitening.astype(np.float32), 1.0)

    def distance(self, rows: Floats) -> NDArray[np.float64]:
        """`(..., D)` to `(...)`, in units of the limit."""
        whitened = ((rows - self.mean) @ self.whitening).astype(np.float64)
        out: NDArray[np.float64] = np.sqrt(np.mean(whitened**2, -1)) / self.limit
        return out


@dataclass(frozen=True, eq=False)
class DomainModel:
    """One Gaussian per block (`embedding` and the blocks of `appearance`), and the largest distance that counts as inside."""

    blocks: Mapping[str, Gaussian]
    threshold: float

    @classmethod
    def fit(cls, scans: Floats | None, inputs: Mapping[str, Floats] | None = None) -> "DomainModel":
        """Fit training studies.

        Args:
            scans: Scan embeddings `(N, D)`, None to judge by the input alone.
            inputs: Block of `appearance.input_statistics` to `(N + extra, F)`, as `appearance.described` makes them: studies first, then
                variants that count as inside too.
        """
        rows = ({EMBEDDING: scans} if scans is not None else {}) | dict(inputs or {})
        studies = min((len(r) for r in rows.values()), default=0)
        if studies < 2:
            raise BadInput(f"{studies} studies are too few to describe a domain")
        blocks, held_out = {}, []
        for name, values in rows.items():
            fitted, distances = Gaussian.fit(values), _held_out_distances(values)
            limit = float(np.quantile(distances, _INSIDE))
            blocks[name] = Gaussian(fitted.mean, fitted.whitening, limit)
            held_out.append(distances[:studies] / limit)
        return cls(blocks, _MARGIN * float(np.quantile(np.max(held_out, 0), _INSIDE)))

    def distances(self, scan: Floats, inputs: Mapping[str, Floats] | None) -> dict[str, float]:
        """Distance of one study per block; blocks that were not given are left out."""
        given = {EMBEDDING: scan, **(inputs or {})}
        return {name: float(block.distance(given[name])) for name, block in self.blocks.items() if name in given}

    def to_bytes(self) -> bytes:
        """Content of `domain.npz`."""
        arrays: dict[str, NDArray[np.generic]] = {"threshold": np.array(self.threshold), "blocks": np.array(list(self.blocks))}
        for name, block in self.blocks.items():
            arrays |= {f"{name}.mean": block.mean, f"{name}.whitening": block.whitening, f"{name}.limit": np.array(block.limit)}
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        return buffer.getvalue()

    @classmethod
    def load(cls, folder: Path) -> "DomainModel | None":
        """Statistics of a weights folder; None where it has none. Files of the first format hold the embedding alone."""
        path = folder / DOMAIN_FILE
        if not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as archive:
                threshold = float(archive["threshold"])
                if "blocks" not in archive.files:
                    return cls({EMBEDDING: Gaussian(archive["mean"], archive["whitening"], 1.0)}, threshold)
                names = [str(name) for name in archive["blocks"]]
                parts = {n: Gaussian(archive[f"{n}.mean"], archive[f"{n}.whitening"], float(archive[f"{n}.limit"])) for n in names}
                return cls(parts, threshold)
        except (OSError, ValueError, KeyError) as error:
            raise BadInput(f"{DOMAIN_FILE} of weights {folder.name!r} cannot be read: {error}") from error


def _held_out_distances(rows: Floats) -> NDArray[np.float64]:
    """Distance of each study from a Gaussian fitted to the others' folds."""
    if len(rows) < _LEAST_HELD_OUT:
        return Gaussian.fit(rows).distance(rows)
    fold = np.arange(len(rows)) % _FOLDS
    out = np.empty(len(rows))
    for k in range(_FOLDS):
        out[fold == k] = Gaussian.fit(rows[fold != k]).distance(rows[fold == k])
    return out


def judge(
    scan: Floats, synthetic: bool, provenance: Provenance, domain: DomainModel | None, inputs: Mapping[str, Floats] | None = None
) -> Validity:
    """Validity of one study.

    Args:
        scan: Scan embedding `(D,)`.
        synthetic: Whether the study was generated by this project.
        provenance: Of the weights.
        domain: Statistics of the training studies.
        inputs: `appearance.input_statistics` of the prepared study.
    """
    found = domain.distances(scan, inputs) if domain is not None else {}
    distance = float(np.max(list(found.values()))) if found else None
    limit = domain.threshold if domain is not None else None
    verdict: Domain = "in"
    reasons: list[Said] = []
    if distance is not None and limit is not None and not distance <= limit:
        odd = sorted((n for n, d in found.items() if not d <= limit), key=lambda n: -found[n])
        verdict = "out"
        reasons.append(
            message(
                "the study lies {distance:.2f} from the training studies; {limit:.2f} is the limit ({named})",
                distance=distance,
                limit=limit,
                named=joined((_WORDS.get(n, n) for n in odd), ", ", "、"),
            )
        )
    if provenance.synthetic_training and not synthetic:
        verdict = "out"
        reasons.append(message("the weights were trained on synthetic studies only, and this study is not one of them"))
    if verdict == "in" and distance is None:
        verdict = "unknown"
        reasons.append(message("the weights carry no statistics of their training studies"))
    reason = joined(reasons) or None
    return Validity(verdict, distance, provenance.name, provenance.trained_on, provenance.licence, reason, limit)
