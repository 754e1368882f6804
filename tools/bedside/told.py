"""A patient who is told in the message itself (`22M, first pneumothorax, 3 cm, sats 98`): a provisional record, for topics only."""

import re
from collections.abc import Iterator
from functools import lru_cache

from retrieval.messages.patterns import patterns
from tools.case.record import Allergy, Case, Medication, Patient, Presentation

_WORDS = patterns("tools.bedside")
_AGE, _YEARS, _MALE, _FEMALE = (_WORDS.regex(n) for n in ("told_age", "told_years", "told_male", "told_female"))
_WEIGHT, _PREGNANT, _PERSON = (_WORDS.regex(n) for n in ("told_weight", "told_pregnant", "told_person"))
_ALLERGY, _NO_ALLERGY = (_WORDS.regex(n) for n in ("told_allergy", "told_no_allergy"))
_ALLERGIC, _TAKES = (_WORDS.regex(n) for n in ("told_allergic", "told_takes"))


@lru_cache(maxsize=64)
def told(message: str) -> Case | None:
    """The patient of a message as a record, the message itself as a finding.

    Age, sex, weight, pregnancy, allergies and medicines that are taken are read. None where the message tells of nobody, and where it
    speaks of an allergy to something that is not known here: what a topic says would not have weighed it.
    """
    age, weight = _AGE.search(message) or _YEARS.search(message), _WEIGHT.search(message)
    if age is None and weight is None and not _PERSON.search(message):
        return None
    spoken = _NO_ALLERGY.sub(" ", message)
    allergies = tuple(_known(_ALLERGY.finditer(spoken)))
    if not allergies and _ALLERGIC.search(spoken):
        return None
    pregnant = bool(_PREGNANT.search(message))
    female = pregnant or bool(_FEMALE.search(message))
    male = not female and bool(_MALE.search(message))
    patient = Patient(
        age_years=float(next(g for g in age.groups() if g)) if age else None,
        sex="female" if female else "male" if male else "unknown",
        weight_kg=float(weight.group(1)) if weight else None,
        pregnant=pregnant or None,
        allergies=tuple(Allergy(substance=name) for name in allergies),
    )
    medicines = tuple(Medication(name=name) for name in _known(_TAKES.finditer(message)))
    return Case(case_id="told", patient=patient, presentation=Presentation(findings=(message,)), medications=medicines)


def _known(found: Iterator[re.Match[str]]) -> Iterator[str]:
    """The names among what was found that the drug graph knows."""
    from retrieval.drugs.graph import DrugGraph  # opens the drug tables, which no start-up needs

    for match in found:
        name = next(text for text in match.groups() if text)
        if DrugGraph.load().allergens(name):
            yield name
