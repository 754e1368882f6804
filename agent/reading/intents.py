"""What a question asks for, in English or Chinese: patterns over the question, joined with the terms it mentions."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from agent.reading.lexicon import Term, concepts, mentions
from retrieval.messages.patterns import patterns
from tools.evidence import ToolName

_WORDS = patterns("agent.reading")

# What a question asks for: the `intent` of one tool's record.
Intent = str


def _load() -> dict[str, re.Pattern[str]]:
    """The patterns of `data/intents.toml`, each the alternatives of its list."""
    table = tomllib.loads(files("agent").joinpath("data/intents.toml").read_text(encoding="utf-8"))
    return {name: re.compile("|".join(parts), re.IGNORECASE) for name, parts in table.items()}


_PATTERNS = _load()
_LABS = _PATTERNS["labs"]
_VALUE = _PATTERNS["value"]
_GUIDE_NAMED = _PATTERNS["guide_named"]
_GUIDE = _PATTERNS["guide"]
_SUMMARY = _PATTERNS["summary"]
_CT_WORD = _PATTERNS["ct_word"]
_CT_MEASURE = _PATTERNS["ct_measure"]
_CT_FINDINGS = _PATTERNS["ct_findings"]
_CT_SEEN = _PATTERNS["ct_seen"]
_CT_PRESENCE = _PATTERNS["ct_presence"]
_REPORT_DRAFT = _PATTERNS["report_draft"]
_REPORT_CHECK = _PATTERNS["report_check"]
_SIMILAR = _PATTERNS["similar"]
_ENCODE = _PATTERNS["encode"]
_INTERACT = _PATTERNS["interact"]
_MED_OWN = _PATTERNS["med_own"]
_ADD = _PATTERNS["add"]
_FACT = _PATTERNS["fact"]
_RANK = _PATTERNS["rank"]
_SCORE_WORD = _PATTERNS["score_word"]
_SEVERITY = _PATTERNS["severity"]
_LIKELY = _PATTERNS["likely"]
_POSSESSIVE = _PATTERNS["possessive"]
_IDENTITY = _PATTERNS["identity"]
_GREETING = _PATTERNS["greeting"]
_HELP = _PATTERNS["help"]
_THANKS = _PATTERNS["thanks"]
_WHY = _PATTERNS["why"]
_FACT_ONLY = _PATTERNS["fact_only"]
_ELLIPTIC = _PATTERNS["elliptic"]
COMPUTE = _PATTERNS["compute"]
_EXPLAIN = _PATTERNS["explain"]
# Formulas that a question on a dose names without asking for them.
DOSING = frozenset({"cockcroft_gault", "egfr_ckd_epi_2021", "qtc_bazett", "qtc_fridericia"})
_TOPIC_SCORE = {"cap": "curb_65", "hap": "curb_65", "pe": "wells_pe", "respiratory_failure": "pf_ratio", "ards": "pf_ratio"}


@dataclass(frozen=True)
class Reading:
    """A question as understood.

    Attributes:
        intents: Intent to the position in the question where it was first met.
        scores: Names of the scores asked for.
        drugs: Drugs it names.
        terms: All terms it mentions; for a continuation also those of the question before.
        asked: Terms of this question alone.
        why: Asks for the reasons of the answer before.
        elliptic: Continues the question before (`and in pregnancy?`).
        seen: Asks what is seen, without naming the scan.
        presence: Asks whether something is there.
        proposed: Intents that the patterns propose, whatever the trained reader decides.
        explains: Asks about a score itself: what it counts, where it cuts.
        tools: What the trained reader thinks of each tool: the probability that it is needed.
        kinds: The same of each kind of question (`reader.KINDS`).
        no_tool: The same of no tool at all.
        parts: The questions of a message that asks several; empty where it is one.
    """

    text: str
    intents: dict[Intent, int] = field(default_factory=dict)
    scores: tuple[str, ...] = ()
    drugs: tuple[Term, ...] = ()
    terms: tuple[Term, ...] = ()
    asked: tuple[Term, ...] = ()
    why: bool = False
    elliptic: bool = False
    greeting: bool = False
    thanks: bool = False
    identity: bool = False
    about_patient: bool = False
    guideline_named: bool = False
    seen: bool = False
    presence: bool = False
    proposed: frozenset[Intent] = frozenset()
    explains: bool = False
    tools: Mapping[ToolName, float] = field(default_factory=dict)
    kinds: Mapping[str, float] = field(default_factory=dict)
    no_tool: float = 0.0
    parts: tuple[str, ...] = ()

    @property
    def subject(self) -> tuple[str, ...]:
        """Ids of what the message is about: diseases, drugs, scores, organisms, findings."""
        return tuple(t.id for t in self.terms if t.kind in ("disease", "drug", "drug_class", "score", "organism", "finding"))

    @property
    def kind(self) -> str:
        """The likeliest kind of question; empty before the trained reader has read it."""
        return max(self.kinds, key=lambda k: self.kinds[k], default="")


def read_question(text: str, topic: frozenset[str] = frozenset()) -> Reading:
    """Understand `text`; `topic` are ids of diseases the case or thread is about (used where the question names none)."""
    found = concepts(text)
    intents: dict[Intent, int] = {}
    _imaging(text, found, intents)
    _clinical(text, found, intents)
    scores = _scores(text, found, topic, intents)
    _medicines(text, found, intents)
    _guidelines(text, found, intents)
    return Reading(
        text=text,
        intents=intents,
        scores=scores,
        drugs=tuple(t for t in found if t.kind in ("drug", "drug_class")),
        terms=found,
        asked=found,
        why=bool(_WHY.match(text)),
        elliptic=bool(_ELLIPTIC.search(text)) and len(text) < 120,
        greeting=bool(_GREETING.match(text) or _HELP.search(text)),
        thanks=bool(_THANKS.match(text)),
        identity=bool(_IDENTITY.search(text)),
        about_patient=bool(_about_patient(text)),
        guideline_named=bool(_GUIDE_NAMED.search(text)),
        seen=bool(_CT_SEEN.search(text)),
        presence=bool(_CT_PRESENCE.search(text)),
        proposed=frozenset(intents),
        explains=bool(_EXPLAIN.search(text)),
    )


def _about_patient(text: str) -> re.Match[str] | None:
    """Words that point to the patient; letters inside a medical term do not."""
    plain = list(text)
    for found in mentions(text):
        plain[found.start : found.end] = "_" * (found.end - found.start)
    return _POSSESSIVE.search("".join(plain))


def _put(intents: dict[Intent, int], intent: Intent, match: re.Match[str] | None) -> bool:
    if match is None:
        return False
    intents[intent] = min(match.start(), intents.get(intent, match.start()))
    return True


def _imaging(text: str, found: tuple[Term, ...], intents: dict[Intent, int]) -> None:
    checking = _put(intents, "report_check", _REPORT_CHECK.search(text))
    drafting = not checking and _put(intents, "report_draft", _REPORT_DRAFT.search(text))
    _put(intents, "similar", _SIMILAR.search(text))
    _put(intents, "ct_encode", _ENCODE.search(text))
    named = any(t.id in ("laa950", "lung_volume", "perc15", "mean_density") for t in found)
    measured = _CT_MEASURE.search(text)
    scan = _CT_WORD.search(text)
    imaging_terms = named or any(t.kind == "finding" or t.id == "emphysema" for t in found)
    measuring = measured is not None and (scan is not None or imaging_terms)
    if measuring:
        _put(intents, "ct_measure", measured)
    asks_guideline = _GUIDE_NAMED.search(text) or any(t.id in ("screening", "follow_up", "ctpa") for t in found)
    if scan and _CT_FINDINGS.search(text) and not (checking or drafting or measuring or asks_guideline or "similar" in intents):
        _put(intents, "ct_measure", scan)
        _put(intents, "ct_findings", scan)


def _clinical(text: str, found: tuple[Term, ...], intents: dict[Intent, int]) -> None:
    _put(intents, "summary", _SUMMARY.search(text))
    explicit = _LABS.search(text)
    if explicit and not (_GUIDE_NAMED.search(text) and _fact_only(text, explicit)):
        _put(intents, "labs", explicit)
    analyte = next((t for t in found if t.kind == "analyte"), None)
    if (
        analyte
        and "labs" not in intents
        and _VALUE.search(text)
        and not _GUIDE_NAMED.search(text)
        and not any(t.kind == "drug" for t in found)
    ):
        match = re.search("|".join(re.escape(n) for n in (*analyte.en, *analyte.zh)), text, re.IGNORECASE)
        general = any(t.kind == "disease" for t in found) or _GUIDE.search(text)
        if not general or _about_patient(text):
            _put(intents, "labs", match)


def _fact_only(text: str, match: re.Match[str]) -> bool:
    """Whether the laboratory word is what a guideline is asked about (`which blood tests does the guideline recommend`)."""
    return bool(_FACT_ONLY.search(text[max(0, match.start() - 12) :]))


def _scores(text: str, found: tuple[Term, ...], topic: frozenset[str], intents: dict[Intent, int]) -> tuple[str, ...]:
    named = [t.id for t in found if t.kind == "score"]
    if named and set(named) <= DOSING and any(t.kind == "drug" for t in found) and not COMPUTE.search(text):
        named = []  # "metformin with an eGFR of 25" asks about the drug
    if named:
        first = next(t for t in found if t.kind == "score")
        _put(intents, "score", re.search("|".join(re.escape(n) for n in (*first.en, *first.zh)), text, re.IGNORECASE))
        return tuple(dict.fromkeys(named))
    here = {t.id for t in found if t.kind == "disease"} or set(topic)
    asked = _SCORE_WORD.search(text) or _SEVERITY.search(text)
    likely = _LIKELY.search(text) if "pe" in {t.id for t in found} else None
    if likely and not _GUIDE_NAMED.search(text):
        _put(intents, "score", likely)
        return ("wells_pe",)
    if asked is None or (
        _GUIDE_NAMED.search(text) and not _SCORE_WORD.search(text) and not _about_patient(text) and not _SEVERITY.search(text)
    ):
        return ()
    score = next((_TOPIC_SCORE[t] for t in _TOPIC_SCORE if t in here), None)
    if score is None:
        return ()
    _put(intents, "score", asked)
    return (score,)


def _medicines(text: str, found: tuple[Term, ...], intents: dict[Intent, int]) -> None:
    drugs = [t for t in found if t.kind == "drug" or (t.kind == "drug_class" and t.id not in ("antibiotic", "oxygen"))]
    named = _GUIDE_NAMED.search(text)
    own = _MED_OWN.search(text)
    if own:
        _put(intents, "med_check", own)
    interact, fact, add = _INTERACT.search(text), _FACT.search(text), _ADD.search(text)
    patient = _about_patient(text)
    rank = _RANK.search(text)
    if (rank and (fact or drugs) and not patient and not named) or (not drugs and any(t.kind == "enzyme" for t in found)):
        _put(intents, "drug_facts", rank or re.search("", text))
        return
    general = any(t.kind == "disease" for t in found) and not _about_patient(text) and _GUIDE.search(text)
    if rank and not named and not general:
        _put(intents, "drug_rank", rank)
    if not drugs or named or own:
        return
    if add and not patient and not fact and not interact and any(t.kind == "disease" for t in found):
        _put(intents, "guideline", add)
    elif add and (patient or len(drugs) == 1) and not fact and not (interact and len(drugs) > 1 and not patient):
        _put(intents, "med_check", add)
    elif interact and patient:
        _put(intents, "med_check", interact)
    elif interact or fact or (sum(t.kind == "drug" for t in drugs) > 1 and not any(t.kind == "disease" for t in found)):
        _put(intents, "drug_facts", interact or fact or re.search("", text))


def _guidelines(text: str, found: tuple[Term, ...], intents: dict[Intent, int]) -> None:
    named = _GUIDE_NAMED.search(text)
    if named:
        _put(intents, "guideline", named)
        return
    asked = _GUIDE.search(text)
    if asked is None or {"med_check", "drug_facts", "report_check", "report_draft"} & intents.keys():
        return
    if ("labs" in intents or "drug_rank" in intents) and asked.group(0).lower() in _WORDS.words("intents_advice"):
        return
    _put(intents, "guideline", asked)
