"""How a message takes up what stands before it: the fitted model of follow-ups, and what the message itself names and leaves unsaid."""

from collections.abc import Sequence

from agent.reading.followup import Kind, kinds_of, pattern
from agent.reading.intents import DOSING, Reading
from agent.reading.lexicon import DRUG_KINDS
from agent.reading.patches import supposes
from agent.reading.thread.focus import has_facet, lacks_partner, only_names
from agent.reading.thread.turn import SUBJECT, About, Turn, drugs_of, last_real, says
from agent.reading.understand import IN_SCOPE

# A longer message that speaks of a source or of English asks something else.
LONGEST_ABOUT = 90
# A message whose tool is this sure needs nothing before it.
CLEAR = 0.7
# From this probability on a message goes on from the one before; from the lower one where its form says so too.
_GOES = 0.5
_MAY_GO = 0.25
# The fitted model alone names what is wanted of the answer from here on.
_SURE_ABOUT = 0.6
_NEAR_THE_START = 8


def about(reading: Reading) -> About | None:
    """What a message wants of the answer before it: shorter, in another language, its sources, its reasons."""
    text = reading.text
    if reading.why:
        return "why"
    if len(text) > LONGEST_ABOUT or (reading.kind != "about_answer" and any(t.kind in IN_SCOPE for t in reading.terms)):
        return None
    names: tuple[About, ...] = ("translate", "shorter", "sources", "why")
    found = [n for n in names if pattern("about", n).search(text)]
    return found[0] if found else None


def kind_of(reading: Reading, turns: Sequence[Turn]) -> Kind:
    """How a message takes up what stands before it, by the fitted model and what the message itself names."""
    if last_real(turns) is None:
        return "new"
    told = kinds_of(reading.text)
    if told["translate"] < _GOES and _goes_back(reading.text):
        return "back"
    if says("why_not", reading.text) and any(t.kind in DRUG_KINDS for t in reading.asked):
        return "next"  # "why not doxycycline?" asks what speaks against another medicine, not for the last answer's reasons
    wanted = about(reading)
    if wanted is not None and told["new"] < 1 - _MAY_GO:
        return wanted
    going: list[Kind] = [k for k in told if k != "new" and (k not in ("shorter", "translate", "sources") or told[k] >= _SURE_ABOUT)]
    going.remove("undo")  # what it would take back is gone already (`thread.unwind`)
    if not says("these", reading.text):
        going.remove("among")
    best = max(going, key=lambda k: told[k])
    if best == "why" and told["why"] < _SURE_ABOUT and max(reading.tools.values(), default=0.0) >= CLEAR:
        best = "next"  # "the score is 0, why keep him in?" asks something of its own
    goes = 1 - told["new"]
    if says("correction", reading.text) and goes >= _MAY_GO:
        return "correct"
    if says("back", reading.text) and goes >= _MAY_GO:
        return "back"
    if told["among"] >= _SURE_ABOUT and says("these", reading.text):
        return "among"
    if lacks_partner(reading) and not reading.about_patient and any(drugs_of(t.reading.asked) for t in turns if t.reading):
        return "next"
    if _another_score(reading, turns) or _of_own_medicines(reading):
        return "new"
    own = any(t.kind in SUBJECT for t in reading.asked)
    if own and only_names(reading.text):
        return "detail"
    if goes >= _GOES or (goes >= _MAY_GO and _continues(reading)) or _continues(reading, strictly=True):
        return "next" if best == "detail" and not own and not supposes(reading.text) and has_facet(reading.text) else best
    return "new"


def _goes_back(text: str) -> bool:
    """Whether a message begins with the words that lead back to something."""
    found = pattern("words", "back").search(text)
    return found is not None and found.start() <= _NEAR_THE_START


def _another_score(reading: Reading, turns: Sequence[Turn]) -> bool:
    """Whether a score is asked for and the thread spoke of something else: it stands for itself."""
    before = last_real(turns)
    named = {t.id for t in reading.asked if t.kind == "score"} - DOSING
    if not named or before is None or reading.elliptic or supposes(reading.text):
        return False
    return not any(t.kind == "score" for t in before.terms)


def _of_own_medicines(reading: Reading) -> bool:
    """`Which of her tablets caused this?`: of all that the patient takes, not of the medicine spoken of."""
    return "med_check" in reading.proposed and reading.about_patient and not any(t.kind in DRUG_KINDS for t in reading.asked)


def _continues(reading: Reading, strictly: bool = False) -> bool:
    """Whether a message goes on from the one before by its form: it says so, or it names no subject of its own."""
    own = any(t.kind == "disease" for t in reading.terms)
    if reading.elliptic or says("these", reading.text) or (reading.kind == "follow_up" and not strictly):
        return not own or not set(reading.intents) - {"guideline", "drug_facts", "med_check", "drug_rank"}
    if strictly:
        return False
    return not any(t.kind in SUBJECT for t in reading.terms) and not reading.about_patient and len(reading.text) < 60
