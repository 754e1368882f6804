"""From a question as understood to tool calls: first round, second round, or a notice."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from agent.answering.draft import Notice
from agent.reading.dialogue import About, Turn, history, taken_up, unresolved
from agent.reading.intents import Intent, Reading
from agent.reading.lexicon import concepts, language_of
from agent.reading.queries import PNEUMONIA, TOOL_OF, Args, calls_for, score_topic, search_args, topic_query
from agent.reading.severity import severity_of, stated
from agent.reading.thread.unwind import standing
from agent.reading.understand import IN_SCOPE, NEED_CASE, understand
from agent.turn.ledger import ToolStep
from agent.turn.prompts import CaseCard
from retrieval.guidelines.parts import Part, several
from tools.bedside.attach import wanted as bedside_answers
from tools.evidence import ToolName
from tools.imaging.marks.words import asks_growth, asks_of_marks, asks_verdict, names_marks, score_named
from tools.imaging.results.experimental import names_looked

# What needs the images themselves; a report or its check says itself that there is no study.
_OF_STUDY: frozenset[Intent] = frozenset({"ct_measure", "ct_findings"})
_OF_REPORT: frozenset[Intent] = frozenset({"report_draft", "report_check", "similar", "ct_encode"})
# A longer message may hold a pasted report.
_LONG_MESSAGE = 240
_SHORT_QUESTION = 80
# 2,700 labelled messages, with and without a case: where no tool is planned, another field reads 0.97 and more, all else 0.82 and less.
_SURELY_OUTSIDE = 0.85
# 250 bedside questions of other hands that no tool was chosen for: one, and that at 0.43.
_SURELY_NOTHING = 0.6


@dataclass(frozen=True)
class Plan:
    """What to do for a turn.

    Attributes:
        reading: The question as understood (for a follow-up, joined with the one before).
        topic: Ids of the diseases it is about.
        detail: Give the reasons too.
        notice: Say this instead of asking tools.
        about: Give the last answer again, in another form.
        parts: What a question of several parts asks for, each as a whole question that is searched by itself.
        calls: Tool calls of the first round.
    """

    reading: Reading
    topic: frozenset[str] = frozenset()
    detail: bool = False
    notice: Notice | None = None
    about: About | None = None
    parts: tuple[Part, ...] = ()
    calls: tuple[tuple[ToolName, Args], ...] = field(default=())


def make_plan(question: str, card: CaseCard | None, earlier: list[str], answers: Sequence[str] = ()) -> Plan:
    """Plan the turn.

    Args:
        question: The question as asked.
        card: The open case, None without one.
        earlier: Questions before it in the thread, oldest first.
        answers: What was answered to each of them.

    Returns:
        The plan; the same question, card, history and answer give the same plan.
    """
    question, earlier, answers = _as_it_stands(question, earlier, answers)
    case_topic = case_diseases(card)
    turns = history(earlier, case_topic, card is not None, answers)
    reading = understand(question, case_topic, card is not None, earlier[-1] if earlier else "")
    notice = _social(reading)
    if notice:
        return Plan(reading, notice=notice)
    if unresolved(reading, turns) and not (card is not None and bedside_answers(question)):
        return Plan(reading, notice="which_one")
    turn = _taken_up(reading, turns, card, answers)
    if turn.about == "why" and turn.reading is not None:
        return _asking(turn.reading, card, case_topic, detail=True)
    if turn.about is not None or turn.reading is None:
        return Plan(reading, about=turn.about)
    reading = _on_record(turn.reading, card)
    reading = _of_images(_of_marks(_no_report(reading, question), question, card), question, card)
    if not reading.intents and card is None and _about_a_record(question, case_topic):
        return Plan(reading, notice="no_case")
    if not reading.intents and card is not None and not _surely_nothing(reading):
        reading = _bedside(reading, turn.wordings)
    if not reading.intents:
        return Plan(reading, notice=_silent(reading))
    return _asking(reading, card, case_topic, alone=turn.kind == "new" or bool(several(question)))


def _as_it_stands(question: str, earlier: Sequence[str], answers: Sequence[str]) -> tuple[str, list[str], list[str]]:
    """The question, those before it and their answers, without what was taken back."""
    now = standing([*earlier, question])
    return now[-1].text, [s.text for s in now[:-1]], [answers[s.index] for s in now[:-1] if s.index < len(answers)]


def _no_report(reading: Reading, question: str) -> Reading:
    """A short question behind a colon (`GP: ...?`) is no report to check."""
    asks = len(question) <= _SHORT_QUESTION and question.rstrip().endswith(("?", "？"))
    if not asks or set(reading.intents) != {"report_check"} or bedside_answers(question) is None:
        return reading
    return replace(reading, intents={})


def _of_marks(reading: Reading, question: str, card: CaseCard | None) -> Reading:
    """What is asked of a lesion that the person marked: its measurement, or the score that takes its size from it."""
    if card is not None and card.studies and asks_verdict(question) and not names_marks(question):
        return replace(reading, intents={"score": 0}, scores=("brock", "herder"))
    if card is None or not card.studies or not (names_marks(question) or (card.marked and asks_of_marks(question))):
        return reading
    intents: dict[Intent, int] = {i: p for i, p in reading.intents.items() if i not in ("ct_findings", "summary", "similar")}
    scored = score_named(question)
    if scored and not reading.scores:
        return replace(reading, intents={"score": 0, **intents}, scores=(scored,))
    if set(intents) & {"score", "report_draft", "report_check"}:
        return reading
    return replace(reading, intents={"ct_measure": 0, **intents})


def _of_images(reading: Reading, question: str, card: CaseCard | None) -> Reading:
    """A short question that nothing else answers, beside an open scan: whether it has grown, or something that is seen on images alone."""
    if card is None or not card.studies or reading.intents or reading.drugs or len(question) > _SHORT_QUESTION:
        return reading
    if (asks_of_marks(question) and asks_growth(question)) or (reading.presence and names_looked(question)):
        return replace(reading, intents={"ct_measure": 0})
    return reading


def _about_a_record(question: str, topic: frozenset[str]) -> bool:
    """Whether the message would ask only about a record, were a case open."""
    intents = set(understand(question, topic, True).intents)
    return bool(intents) and intents <= NEED_CASE


def _on_record(reading: Reading, card: CaseCard | None) -> Reading:
    """Without a study nothing is looked for on it: what is left is knowledge."""
    if card is None or card.studies:
        return reading
    # What the reader thinks likely and no word asks for: there is no study to draft from, to compare, and no text to check.
    guessed = frozenset() if len(reading.text) > _LONG_MESSAGE else _OF_REPORT - reading.proposed
    if not set(reading.intents) & (_OF_STUDY | guessed):
        return reading
    kept = {i: p for i, p in reading.intents.items() if i not in _OF_STUDY and i not in guessed}
    return replace(reading, intents=kept or ({"guideline": 0} if set(reading.intents) & _OF_STUDY else {}))


def _asking(reading: Reading, card: CaseCard | None, case_topic: frozenset[str], detail: bool = False, alone: bool = True) -> Plan:
    """The plan that asks the tools of a reading."""
    if card is None and "med_check" in reading.intents and reading.drugs:
        intents: dict[Intent, int] = {("drug_facts" if i == "med_check" else i): p for i, p in reading.intents.items()}
        reading = replace(reading, intents=intents)
    if card is None and not set(reading.intents) - NEED_CASE:
        return Plan(reading, notice="no_case")
    if card is None:
        reading = replace(reading, intents={i: p for i, p in reading.intents.items() if i not in NEED_CASE})
        reading = _at_its_severity(reading)
    topic = _topic(reading, case_topic)
    calls = tuple(call for intent in ordered(reading) for call in calls_for(intent, reading, card, topic))
    # With a case open the bedside room answers what it knows, part by part, itself.
    # A message of one part that was put together with its earlier question has that in front, which is no part of it.
    searched = alone and "guideline" in reading.intents and (card is None or bedside_answers(reading.text) is None)
    parts = several(reading.text) if searched else ()
    of_parts = tuple(("search_guidelines", search_args(p.whole, reading)) for p in parts)
    return Plan(reading, topic, detail, parts=parts, calls=(*calls, *(c for c in of_parts if c not in calls)))


def _at_its_severity(reading: Reading) -> Reading:
    """Where the message states a score's result and asks for a medicine, guidance for that severity answers, not a list for any patient."""
    if "drug_rank" not in reading.intents or stated(reading.text, PNEUMONIA) is None:
        return reading
    return replace(reading, intents={"guideline": reading.intents["drug_rank"]}, scores=())


def in_full(question: str, card: CaseCard | None, earlier: Sequence[str], answers: Sequence[str] = ()) -> Turn:
    """The message with what it takes over from the thread, as `make_plan` sees it: for what reads the question beside the plan."""
    question, earlier, answers = _as_it_stands(question, earlier, answers)
    topic = case_diseases(card)
    reading = understand(question, topic, card is not None, earlier[-1] if earlier else "")
    turns = history(earlier, topic, card is not None, answers)
    return _taken_up(reading, turns, card, answers)


def _taken_up(reading: Reading, turns: Sequence[Turn], card: CaseCard | None, answers: Sequence[str]) -> Turn:
    topic = case_diseases(card)
    keys, last = card.assumed_keys if card else (), answers[-1] if answers else ""
    return taken_up(reading, turns, keys, last, lambda words: understand(words, topic, card is not None))


def _surely_nothing(reading: Reading) -> bool:
    """Whether the reader is sure that no tool is needed and nothing of this field is named: a topic's words alone do not raise it."""
    of_field = reading.about_patient or any(t.kind in IN_SCOPE for t in reading.terms)
    return reading.no_tool >= _SURELY_NOTHING and not of_field


def _bedside(reading: Reading, wordings: Sequence[str]) -> Reading:
    """A question that no pattern knows, and that the bedside room answers for the open case."""
    found = next((w for text in wordings if (w := bedside_answers(text)) is not None), None)
    if found is None:
        return reading
    intent = next(i for i, name in TOOL_OF.items() if name == found[0])
    return replace(reading, intents={intent: 0}, scores=(found[1],) if intent == "score" else reading.scores)


def ordered(reading: Reading) -> list[Intent]:
    """Intents in the order in which the question raises them."""
    return sorted(reading.intents, key=lambda i: (reading.intents[i], i))


def _social(reading: Reading) -> Notice | None:
    if reading.thanks:
        return "thanks"
    if reading.greeting and not reading.terms:
        return "greeting"
    if reading.identity and not reading.proposed - {"summary"}:
        return "identifiers"
    return None


def _silent(reading: Reading) -> Notice:
    """What to say where no tool is needed."""
    if reading.kind == "social":
        return "thanks"
    return "no_evidence" if reading.kind == "about_answer" else "out_of_scope"


def surely_outside(plan: Plan) -> bool:
    """Whether a message is of another field beyond doubt: no tool is planned for it, and the reader is as good as certain."""
    return plan.notice == "out_of_scope" and plan.reading.kinds.get("outside", 0.0) >= _SURELY_OUTSIDE


def case_diseases(card: CaseCard | None) -> frozenset[str]:
    """Diseases that the case is about; fever with cough, sputum or pleuritic pain is worked up as pneumonia.

    What is recorded as a condition or asked about decides; signs and findings do where nothing of that is a disease of the chest.
    """
    if card is None:
        return frozenset()
    text = card.topic_text()
    found = {t.id for t in concepts(text)}
    infection = "fever" in found and found & {"cough", "sputum", "chest_pain"}
    named = "; ".join((card.question or "", *card.conditions))
    own = _diseases(named) or _diseases(text)
    return own | (frozenset({"cap"}) if infection else frozenset())


def _diseases(text: str) -> frozenset[str]:
    return frozenset(t.id for t in concepts(text, "disease"))


def _topic(reading: Reading, case_topic: frozenset[str]) -> frozenset[str]:
    named = frozenset(t.id for t in reading.terms if t.kind == "disease")
    asked = (*reading.scores, *(t.id for t in reading.terms if t.kind == "score"))
    scored = frozenset(topic for s in asked if (topic := score_topic(s)) is not None)
    return named or scored or case_topic


def _measured_instead(steps: tuple[ToolStep, ...]) -> tuple[tuple[ToolName, Args], ...]:
    """Where the model is silent on a study (not installed, outside its domain), what can be measured on it without a model."""
    if any(s.result.tool == "quantify_ct" for s in steps):
        return ()
    silent = [s for s in steps if s.result.tool == "classify_ct" and s.result.status in ("unavailable", "out_of_domain")]
    return (("quantify_ct", {"study": str(silent[0].args.get("study", "ct-1"))}),) if silent else ()


def _left_to_guidelines(reading: Reading, step: ToolStep) -> bool:
    """Whether the drug graph is silent on what guidelines may answer; of a pair of medicines its silence is the answer."""
    asked_of_graph = step.result.tool == "query_drug_graph" and len(reading.drugs) < 2
    return not step.result.evidence and (asked_of_graph or step.result.tool == "rank_drugs")


def second_round(plan: Plan, steps: tuple[ToolStep, ...], card: CaseCard | None) -> tuple[tuple[ToolName, Args], ...]:
    """What depends on the first round: measurements where the model abstains, guidance once the score is known."""
    measured = _measured_instead(steps)
    if measured:
        return measured
    if "guideline" not in plan.reading.intents and any(map(partial(_left_to_guidelines, plan.reading), steps)):
        return (("search_guidelines", search_args(plan.reading.text, plan.reading)),)
    if "guideline" not in plan.reading.intents or not plan.reading.scores:
        return ()
    asked = {str(s.args.get("query")) for s in steps if s.result.tool == "search_guidelines"}
    language = language_of(plan.reading.text)
    calls: list[tuple[ToolName, Args]] = []
    for step in steps:
        topic = score_topic(str(step.args.get("name", "")))
        severity = severity_of(step.result)
        if severity is None or topic is None:
            continue
        query = f"{topic_query(frozenset({topic}), severity, language, card)} {plan.reading.text}"
        if query not in asked:
            calls.append(("search_guidelines", search_args(query, plan.reading)))
    return tuple(calls)
