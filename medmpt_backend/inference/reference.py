"""Reference cases of a set of weights: scan vectors of virtual patients with one line of truth each, for similar-case search.

They travel in the weights folder as `cases.npz` (half-precision unit vectors) and `cases.json`, and are tied to the weights by the digest
of `model.safetensors`: vectors of other weights mean nothing.
"""

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from medmpt_backend.errors import BadInput
from medmpt_backend.findings import MIDLINE, finding
from medmpt_backend.messages import Said, joined, messages

if TYPE_CHECKING:
    from medmpt_backend.cohort.studies import CohortStudy
    from medmpt_backend.inference.engine import MedMPTEngine

message = messages("medmpt_backend.inference").said

VECTORS_FILE, ROWS_FILE = "cases.npz", "cases.json"


class ReferenceCase(BaseModel):
    """One virtual patient as a reader sees it.

    Attributes:
        id: Id in the cohort.
        disease: English name.
        disease_zh: Chinese name.
        age: Years.
        sex: Sex.
        findings: Finding id to side of what was painted and can be seen; no side (empty) for what lies in the middle.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    disease: str
    disease_zh: str
    age: int
    sex: str
    findings: dict[str, str]

    def line(self, chinese: bool) -> str:
        """The truth in one sentence."""
        found = joined((_named(ident, side) for ident, side in self.findings.items()), ", ", "、") or message("no lesion")
        whole = message(
            "{age}-year-old {person}, {disease}; CT: {found}",
            age=self.age,
            person=message("man") if self.sex == "male" else message("woman"),
            disease=Said(self.disease, self.disease_zh),
            found=found,
        )
        return whole.zh if chinese else whole


_BY_SIDE = {"left": message("{name} (left)"), "right": message("{name} (right)"), "both": message("{name} (both)")}


def _named(ident: str, side: str) -> Said:
    """A finding with its side, where it has one."""
    name = Said(finding(ident).en.lower(), finding(ident).zh)
    return _BY_SIDE[side].fill(name=name) if side else name


@dataclass(frozen=True, eq=False)
class ReferenceCases:
    """Unit scan vectors `(N, P)` with their cases; `encoder` is the digest of the weights."""

    encoder: str
    scans: NDArray[np.float32]
    cases: tuple[ReferenceCase, ...]

    def files(self) -> dict[str, bytes]:
        """File name to content, for the weights folder."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, scans=self.scans.astype(np.float16))
        rows = {"schema_version": 1, "encoder": self.encoder, "cases": [c.model_dump(mode="json") for c in self.cases]}
        return {VECTORS_FILE: buffer.getvalue(), ROWS_FILE: json.dumps(rows, ensure_ascii=False, indent=0).encode()}

    def write(self, folder: Path) -> None:
        """Put the files into a weights folder."""
        for name, content in self.files().items():
            (folder / name).write_bytes(content)

    @classmethod
    def load(cls, folder: Path, encoder: str) -> "ReferenceCases | None":
        """Reference cases of a weights folder; None where it has none.

        Raises:
            BadInput: Damaged, or of other weights.
        """
        if not (folder / ROWS_FILE).is_file():
            return None
        try:
            rows: dict[str, Any] = json.loads((folder / ROWS_FILE).read_text(encoding="utf-8"))
            cases = tuple(ReferenceCase.model_validate(row) for row in rows["cases"])
            with np.load(folder / VECTORS_FILE, allow_pickle=False) as archive:
                scans = archive["scans"].astype(np.float32)
        except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
            raise BadInput(f"the reference cases of {folder.name!r} cannot be read: {str(error)[:200]}") from error
        if rows["encoder"] != encoder or len(scans) != len(cases):
            raise BadInput(f"the reference cases of {folder.name!r} are not those of its weights; build them again")
        return cls(encoder, scans, cases)


def describe(study: "CohortStudy") -> ReferenceCase:
    """The case of one virtual study."""
    from medmpt_backend.cohort.patients.diseases import BY_ID

    disease, sides = BY_ID[study.patient.disease], dict[str, str]()
    for painted in study.truth.findings:
        for label in painted.labels[:1] if painted.visible else ():
            side = "" if label in MIDLINE else painted.side
            sides[label] = side if sides.get(label, side) == side else "both"
    p = study.patient
    return ReferenceCase(id=study.id, disease=disease.en, disease_zh=disease.zh, age=p.age, sex=p.sex, findings=sides)


def build(engine: "MedMPTEngine", studies: "Iterable[CohortStudy]", progress: Callable[[str], None] = lambda _: None) -> ReferenceCases:
    """Embed virtual studies; they should be of the test split, so that no case was trained on."""
    from medmpt_backend.imaging.volume import SeriesInfo, Volume

    scans, cases = [], []
    for study in studies:
        volume = Volume(study.study.hu, study.study.spacing, SeriesInfo(study.id, synthetic=True))
        scans.append(engine.embed_scan(volume))
        cases.append(describe(study))
        progress(study.id)
    if not cases:
        raise BadInput("no study was given to build reference cases from")
    return ReferenceCases(engine.provenance.model_sha256, np.stack(scans), tuple(cases))
