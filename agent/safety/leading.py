"""What an answer says first: who is in danger, the first actions with their source, who is called."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from agent.answering.answer import Claim
from agent.safety.danger import Danger, recorded, typed
from agent.safety.triggers import triggers
from retrieval.drugs.graph import DrugGraph
from retrieval.guidelines.corpus import load_corpus
from retrieval.guidelines.passages import Passage
from retrieval.guidelines.sentences import split_sentences
from retrieval.messages.catalogue import messages
from tools.bedside.record.view import Record
from tools.case.record import Case
from tools.evidence import Evidence, Language
from tools.quantities import fill

each = messages("agent.safety").each

pair = messages("agent.safety").pair

# Dangers that are told in full; further ones get one line.
_IN_FULL = 2
# Sentences of a passage that are first actions.
_ACTIONS = 3
# How the record's vital signs are called in what tools say of them.
_VITALS: dict[str, tuple[str, ...]] = {
    "spo2_pct": pair("oxygen saturation"),
    "sbp_mmhg": pair("systolic"),
    "respiratory_rate": pair("respiratory rate"),
    "heart_rate": pair("heart rate"),
    "gcs": pair("glasgow"),
}
_HEAD: dict[Language, str] = each("Needs action now: {what}.")
_TYPED: dict[Language, str] = {"en": "{name} ({because})", "zh": "{name}（{because}）"}
_RECORDED: dict[Language, str] = each("{name} (record: {because})")


@dataclass(frozen=True)
class Leading:
    """What leads an answer.

    Attributes:
        headlines: One per danger: what it is, from where it is known, who is called.
        claims: First actions, quoted.
        evidence: The passages that hold them.
        covers: Names of what the dangers are about: other wording of the same is not repeated.
    """

    headlines: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    covers: tuple[str, ...] = ()

    def says(self, claim: Claim) -> bool:
        """Whether a claim only repeats what leads."""
        return any(claim.text in first.text or first.text in claim.text for first in self.claims)

    def text(self, mark: Callable[[str], str]) -> str:
        """The block that leads the answer; `mark` gives the citation of a key."""
        actions = [f"{c.text} {''.join(mark(k) for k in c.evidence)}" for c in self.claims]
        return "\n".join([*self.headlines, *actions])


def lead(question: str, case: Case | None, language: Language) -> Leading:
    """What leads the answer to `question`; what is typed outranks what is recorded."""
    said = typed(question)
    ids = {d.trigger.id for d in said}
    about = {_about(d) for d in said}
    known = [d for d in (recorded(case) if case is not None else ()) if d.trigger.id not in ids and _about(d) not in about]
    dangers = [*said, *known]
    if not dangers:
        return Leading()
    passages = [(d, _passage(d, case)) for d in dangers]
    evidence = {p.key: _evidence(p) for d, p in passages[:_IN_FULL] if p is not None}
    claims = [c for d, p in passages[:_IN_FULL] if p is not None for c in _actions(p, language, _ACTIONS if d.typed else 1)]
    return Leading(
        tuple(_headline(d, language) for d in dangers),
        tuple(dict.fromkeys(claims)),
        tuple(evidence.values()),
        tuple(name for d in dangers for name in _names(d)),
    )


def _about(danger: Danger) -> str:
    limit = triggers().limits.get(danger.limit or "")
    return (limit.analyte or limit.record or danger.trigger.id) if limit else danger.trigger.id


def _names(danger: Danger) -> tuple[str, ...]:
    from tools.labs.analytes import find_analyte

    limit = triggers().limits.get(danger.limit or "")
    analyte = find_analyte(limit.analyte) if limit and limit.analyte else None
    vital = _VITALS.get(limit.record or "", ()) if limit else ()
    return (analyte.en, analyte.zh) if analyte else vital


def _headline(danger: Danger, language: Language) -> str:
    shape = (_TYPED if danger.typed else _RECORDED)[language]
    name = danger.trigger.name(language)
    what = name if danger.because.lower() in name.lower() else shape.format(name=name, because=danger.because)
    space = "" if language == "zh" else " "
    return f"{_HEAD[language].format(what=what)}{space}{danger.trigger.call(language)}"


@lru_cache(maxsize=1)
def _corpus() -> dict[str, Passage]:
    return {p.id: p for p in load_corpus().passages}


def _passage(danger: Danger, case: Case | None) -> Passage | None:
    """The first actions for a danger; a disease that the record shows has its own (fluid for sepsis harms in embolism)."""
    record = Record(case, DrugGraph.load()) if case is not None and danger.trigger.within else None
    own = next((ids for notion, ids in danger.trigger.within.items() if record is not None and record.notion(notion) is True), None)
    return next((_corpus()[i] for i in (danger.trigger.passages if own is None else own) if i in _corpus()), None)


def _actions(passage: Passage, language: Language, count: int) -> list[Claim]:
    text = passage.text_zh if language == "zh" else passage.text
    return [Claim(text=s, evidence=(passage.key,), support="quoted") for s in split_sentences(text)[:count]]


def _evidence(p: Passage) -> Evidence:
    return Evidence(
        key=p.key,
        kind="guideline",
        text=p.text,
        text_zh=p.text_zh,
        source=p.source,
        year=p.guideline.year,
        locator=p.locator,
        quantities=fill((), p.text, p.text_zh),
        subjects=(p.guideline.topic, p.guideline.issuer, *p.tags),
        population=p.population or None,
        current=p.guideline.status == "current",
    )
