"""CT findings, each one record of `findings.toml`: names, codes, CT-RATE label, words of reports, painter and detector.

Every room reads the record; a new finding is a table at the end of that file and, where it is painted, its painter.
"""

import tomllib
from collections.abc import Callable
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

Pair = tuple[str, str]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Codes(_Row):
    """Codes of other vocabularies, only where sure.

    Attributes:
        sct: SNOMED CT concept.
        dcm: Code of DICOM PS3.16.
        radlex: RadLex id.
    """

    sct: str | None = Field(default=None, pattern=r"^\d{6,18}$")
    dcm: str | None = Field(default=None, pattern=r"^\d{6}$")
    radlex: str | None = Field(default=None, pattern=r"^RID\d+$")


class Denied(_Row):
    """How a true negative is said, English and Chinese; drawn in `order`."""

    order: int
    words: Pair


class Words(_Row):
    """How the cohort's reports name a finding; patterns are tried in `order`."""

    order: int
    words: str


class Detector(Words):
    """Words of a drafted sentence and the labels whose detectors speak about them, the wider one first."""

    labels: tuple[str, ...]


class LintWords(_Row):
    """Words that a finding adds to a finding and a topic of the linter.

    Attributes:
        finding: Row of `tools/data/reports/findings.toml`.
        topic: Row of `tools/data/reports/topics.toml`.
        benign: Whether it needs no follow-up of its own.
        en: English expressions.
        zh: Chinese expressions.
    """

    finding: str
    topic: str
    benign: bool = False
    en: tuple[str, ...]
    zh: tuple[str, ...]


class Phrase(_Row):
    """How one kind of finding is reported; placeholders are told in `findings.toml`.

    Attributes:
        rank: Order of importance; lower is told first and kept when space is short.
        organ: Section of a systematic report.
        en: English sentences of the findings section.
        zh: Chinese ones.
        short_en: Words of the impression; none where the finding is not repeated there.
        short_zh: Chinese ones.
    """

    rank: int
    organ: str
    en: tuple[str, ...]
    zh: tuple[str, ...]
    short_en: tuple[str, ...] = ()
    short_zh: tuple[str, ...] = ()


class Several(Phrase):
    """The phrase for more of them than are told one by one, under an id of its own."""

    id: str


class Painted(_Row):
    """What the cohort paints that is this finding.

    Attributes:
        id: Painter id; None where it is the finding's.
        means: Wider findings that it also is.
        channel: Whether it has a mask channel of its own.
        dense: Calcium or metal, which is seen sooner.
        opacity: Whether it counts for the extent of disease.
        single: Told one by one up to this many.
        nodule: Noun of a comparison with the prior; None for what is not followed as a nodule.
        benign: Whether Lung-RADS calls it category 1.
        doubling_days: Volume doubling time of a tumour of this kind, mean and deviation.
        no_side: Whether its name holds a side that is none.
        report: How it is reported.
        several: How several are.
    """

    id: str | None = None
    means: tuple[str, ...] = ()
    channel: bool = False
    dense: bool = False
    opacity: bool = False
    single: int = 0
    nodule: Pair | None = None
    benign: bool = False
    doubling_days: tuple[float, float] | None = None
    no_side: bool = False
    report: Phrase
    several: Several | None = None


class Named(_Row):
    """A record with an id and its name in both languages."""

    id: str
    name: Pair

    @property
    def en(self) -> str:
        """English name."""
        return self.name[0]

    @property
    def zh(self) -> str:
        """Chinese name."""
        return self.name[1]


class Finding(Named):
    """One finding.

    Attributes:
        id: Snake-case id, used everywhere.
        name: English and Chinese name.
        ct_rate: The CT-RATE label it corresponds to, None where that vocabulary has none.
        codes: Codes of other vocabularies.
        midline: Whether it is a finding of the middle, which has no side.
        section: Section of a report template; None where the template's default takes it.
        focal: Whether it is measured by one diameter.
        lobar: Whether it is of the lung itself and lies in a lobe.
        choice: Place in the form of a teaching case; None where a trainee does not choose it.
        denied: Words of a true negative.
        read: How reports of the cohort name it.
        detector: Which detectors speak about a drafted sentence with these words.
        lint: What it adds to the linter's words.
        painted: What the cohort paints.
    """

    ct_rate: str | None = None
    codes: Codes = Codes()
    midline: bool = False
    section: str | None = None
    focal: bool = False
    lobar: bool = False
    choice: int | None = None
    denied: Denied | None = None
    read: Words | None = None
    detector: Detector | None = None
    lint: LintWords | None = None
    painted: Painted | None = None

    @property
    def coarse(self) -> bool:
        """Whether it is one of CT-RATE's own labels."""
        return self.en == self.ct_rate

    @property
    def painter(self) -> str | None:
        """Id of what the cohort paints, None where it paints none."""
        return None if self.painted is None else self.painted.id or self.id


def _load() -> dict[str, Finding]:
    rows = tomllib.loads((files("medmpt_backend") / "findings.toml").read_text(encoding="utf-8"))
    found = {key: Finding(id=key, **row) for key, row in rows.items()}
    named = {
        label for f in found.values() for label in (*(f.painted.means if f.painted else ()), *(f.detector.labels if f.detector else ()))
    }
    if unknown := named - found.keys():
        raise ValueError(f"findings.toml names findings it does not hold: {', '.join(sorted(unknown))}")
    return found


FINDINGS: dict[str, Finding] = _load()
# CT-RATE's own labels in its order, and the finer ones, which map to them.
COARSE: tuple[str, ...] = tuple(f.id for f in FINDINGS.values() if f.coarse)
FINE: tuple[str, ...] = tuple(f.id for f in FINDINGS.values() if not f.coarse)
MIDLINE = frozenset(f.id for f in FINDINGS.values() if f.midline)
# Painter id -> finding.
PAINTED: dict[str, Finding] = {f.painter: f for f in FINDINGS.values() if f.painter is not None}


def finding(finding_id: str) -> Finding:
    """The finding of an id; a label that is not in the list is its own name."""
    known = FINDINGS.get(finding_id)
    words = finding_id.replace("_", " ")
    return known or Finding(id=finding_id, name=(words, words))


def painters(keep: Callable[[Painted], object]) -> frozenset[str]:
    """Painter ids whose record satisfies a condition."""
    return frozenset(key for key, f in PAINTED.items() if f.painted is not None and keep(f.painted))


def to_ct_rate(probabilities: dict[str, float]) -> dict[str, float]:
    """CT-RATE label to the largest probability among the findings that map to it."""
    out: dict[str, float] = {}
    for finding_id, probability in probabilities.items():
        label = finding(finding_id).ct_rate
        if label is not None:
            out[label] = max(out.get(label, 0.0), probability)
    return out
