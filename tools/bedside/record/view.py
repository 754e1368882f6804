"""The open case as the rows of this room ask it: numbers with their units, notions with their stance, medicines, allergies.

What the person typed in the question outranks the record and is named as typed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from retrieval.drugs.graph import DrugGraph
from retrieval.messages.patterns import patterns
from tools.bedside.record.derived import derived
from tools.bedside.record.expression import holds
from tools.bedside.record.noted import noted_value
from tools.bedside.record.said import clauses, kin, stance
from tools.bedside.record.typed import typed_value
from tools.bedside.record.values import Value, find_value, labs_of
from tools.bedside.record.vocabulary import Notion, notions
from tools.case.record import Case
from tools.drugs.patient import DrugPatient, infusion_reaction, may_be_pregnant, read_patient
from tools.labs.value import Reading
from tools.scores.registry import calculators

_WORDS = patterns("tools.bedside")


_NODULE_MODELS = ("score_brock", "score_mayo")
# Inputs of the nodule models by the notion that answers them.
_OF_NODULE = {
    "family_history": "brother_cancer",
    "emphysema": "emphysema",
    "upper_lobe": "upper_lobe",
    "spiculation": "spiculated",
    "previous_cancer": "own_cancer",
}


@dataclass(frozen=True)
class Record:
    """One case, one question."""

    case: Case
    graph: DrugGraph
    question: str = ""
    extra: dict[str, Value] = field(default_factory=dict)

    @cached_property
    def patient(self) -> DrugPatient:
        """The case as the drug graph sees it."""
        return read_patient(self.graph, self.case)

    @cached_property
    def labs(self) -> Mapping[str, Reading]:
        """Latest reading by analyte."""
        return labs_of(self.case)

    def _typed(self, name: str) -> Value | None:
        """What the question itself gives for a name."""
        return typed_value(name, self.question, self.labs)

    @cached_property
    def texts(self) -> list[str]:
        """Clauses of everything that is written about the patient."""
        p = self.case.presentation
        found = [c.name for c in self.case.patient.conditions]
        found += [
            *p.symptoms,
            *p.findings,
            *(n.text for n in self.case.notes),
            *(s.report or "" for s in self.case.studies),
        ]
        return [c for text in found for c in clauses(text)]

    def get(self, name: str) -> Value | None:
        """A number by name; None when it is not known."""
        if name not in self._values:
            found = self.extra.get(name) or self._typed(name) or derived(name, self._weighed)
            self._values[name] = found or find_value(name, self._weighed, self._inputs(name)) or noted_value(name, self.case)
        return self._values[name]

    @cached_property
    def _weighed(self) -> Case:
        """The case at the weight that the question gives: an amount by weight is never for another one than the answer names."""
        typed = self._typed("weight")
        if typed is None:
            return self.case
        return self.case.model_copy(update={"patient": self.case.patient.model_copy(update={"weight_kg": typed.number})})

    def given(self, calculator: str) -> dict[str, str] | None:
        """What a calculator is given beyond the case."""
        known = {f.key for f in calculators()[calculator].fields}
        return {k: v for k, v in self._inputs(f"score_{calculator}").items() if k in known} or None

    def _inputs(self, name: str) -> dict[str, str]:
        """What calculators are given beyond the case: typed values; for the models of a nodule what the texts say of it."""
        return {**self._given, **self._nodule} if name in _NODULE_MODELS else self._given

    @cached_property
    def _nodule(self) -> dict[str, str]:
        said = {key: self.notion(notion) for key, notion in _OF_NODULE.items()}
        found = {key: "yes" if value else "no" for key, value in said.items() if value is not None}
        size, smoking = self.get("nodule_mm"), self.case.patient.smoking
        if size is not None:
            kind = "part_solid" if self.notion("part_solid") else "ground_glass" if self._ground_glass else "solid"
            found |= {"size": f"{size.number:g}", "nodule_type": kind, "nodule_count": "2" if self.notion("perifissural") else "1"}
        if smoking is not None and smoking.status != "unknown":
            found["ever_smoker"] = "no" if smoking.status == "never" else "yes"
        return found

    @property
    def _ground_glass(self) -> bool:
        """Of the nodule: in the record, or supposed by the question."""
        return bool(self.notion("ground_glass_nodule") or self.call("asked", _WORDS.text("ground_glass")))

    @cached_property
    def _given(self) -> dict[str, str]:
        """What the question gives of the inputs of the calculators."""
        return {name: v.shown for name in ("creatinine", "weight", "age") if (v := self._typed(name)) is not None}

    @cached_property
    def _values(self) -> dict[str, Value | None]:
        return {}

    def value(self, name: str) -> float | bool | None:
        """A number, or the stance of a notion."""
        found = self.get(name)
        if found is not None:
            return found.number
        return self.notion(name) if name in notions() else None

    def notion(self, name: str) -> bool | None:
        """Stance of the record on a notion: affirmed beats denied; a notion that is only listed elsewhere stays unknown."""
        if name not in self._notions:
            self._notions[name] = self._stance(notions()[name])
        return self._notions[name]

    @cached_property
    def _notions(self) -> dict[str, bool | None]:
        return {}

    def _stance(self, notion: Notion) -> bool | None:
        if notion.field == "pregnant":
            return self.case.patient.pregnant if may_be_pregnant(self.case.patient) else False
        if notion.field == "allergies":
            return bool(self.case.patient.allergies)
        asked = notion.question and stance(self.question, notion.pattern)
        if asked:
            return True
        held = self.graph.with_parents(self.patient.context.conditions)
        if any(c in held for c in notion.conditions):
            return True
        if notion.kin:
            return any(kin(c, notion.pattern) for c in self.texts)
        # What the case was brought for is a working diagnosis: its question mark is no doubt.
        brought = [] if notion.shown else clauses(re.sub("[?？]", ".", self.case.presentation.question or ""))
        heard = [s for c in (*self.texts, *brought) if (s := stance(c, notion.pattern, acute=notion.acute)) is not None]
        if True in heard or (False not in heard and notion.test and holds(notion.test, self)):
            return True
        return False if heard or notion.silent else None

    def call(self, name: str, argument: str) -> float | bool | None:
        """`on('warfarin')`, `on('@acei')`, `allergic('@penicillins')`, `severe_allergy(...)`, `causing('seizures')`, `asked('words')`."""
        if name == "on":
            return bool(self.taken(argument))
        if name in ("allergic", "severe_allergy"):
            return self._allergic(argument, severe=name == "severe_allergy")
        if name == "causing":
            return bool(self.causing(argument))
        if name == "infusion_reaction":
            listed = [a.substance for a in self.case.patient.allergies if infusion_reaction(a)]
            return any(self.members(argument) & set(self.graph.allergens(substance)) for substance in listed)
        if name == "asked":
            return any(w in self.question.casefold() for w in argument.split(";"))
        if name == "smoker":
            smoking = self.case.patient.smoking
            return None if smoking is None or smoking.status == "unknown" else smoking.status == argument
        if name == "sex":
            return None if self.case.patient.sex in ("unknown", "other") else self.case.patient.sex == argument
        raise ValueError(f"a condition cannot ask {name!r}")

    def members(self, argument: str) -> set[str]:
        """Drug ids of `a;@group`."""
        ids: set[str] = set()
        for part in argument.split(";"):
            ids |= {d.id for d in self.graph.members(part[1:])} if part.startswith("@") else {part}
        return ids

    def taken(self, argument: str) -> list[str]:
        """Current drugs that are one of `a;@group`, by id."""
        wanted = self.members(argument)
        return [d.id for d in self.patient.current if d.id in wanted]

    def causing(self, effect: str) -> list[str]:
        """Current drugs whose label lists an effect, by id."""
        listed = {d for row in self.graph.tables.adverse if row.effect == effect for d in self.members(row.drug)}
        return list(dict.fromkeys(d.id for d in self.patient.current if d.id in listed))

    def _allergic(self, argument: str, *, severe: bool) -> bool:
        wanted = self.members(argument)
        for allergy in (a for a in self.case.patient.allergies if not infusion_reaction(a)):
            if wanted & set(self.graph.allergens(allergy.substance)):
                text = f"{allergy.reaction or ''} {allergy.severity or ''}"
                if not severe or _WORDS.regex("severe_allergy").search(text):
                    return True
        return False
