"""A patient who is told in the message itself (`22M, first pneumothorax, 3 cm, sats 98`): a provisional record, for topics only."""

from functools import lru_cache

from retrieval.messages.patterns import patterns
from tools.case.record import Case, Patient, Presentation

_WORDS = patterns("tools.bedside")
_AGE, _YEARS, _MALE, _FEMALE = (_WORDS.regex(n) for n in ("told_age", "told_years", "told_male", "told_female"))
_WEIGHT, _PREGNANT, _PERSON = (_WORDS.regex(n) for n in ("told_weight", "told_pregnant", "told_person"))


@lru_cache(maxsize=64)
def told(message: str) -> Case | None:
    """The patient of a message as a record: age, sex, weight, pregnancy, the message itself as a finding; None where it tells of none."""
    age, weight = _AGE.search(message) or _YEARS.search(message), _WEIGHT.search(message)
    if age is None and weight is None and not _PERSON.search(message):
        return None
    pregnant = bool(_PREGNANT.search(message))
    female = pregnant or bool(_FEMALE.search(message))
    male = not female and bool(_MALE.search(message))
    patient = Patient(
        age_years=float(age.group(1)) if age else None,
        sex="female" if female else "male" if male else "unknown",
        weight_kg=float(weight.group(1)) if weight else None,
        pregnant=pregnant or None,
    )
    return Case(case_id="told", patient=patient, presentation=Presentation(findings=(message,)))
