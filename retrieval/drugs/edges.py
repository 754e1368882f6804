"""The edges of the drug knowledge graph in memory: drugs, facts with source and year, inferred interactions, names.

Absence of an edge is "not in the graph", never "safe". Names resolve exactly (any case, brand, synonym, Chinese); a close misspelling is
only ever a suggestion.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from retrieval.concepts.context import statuses
from retrieval.drugs.build import Names, distinct, listed_facts
from retrieval.drugs.facts import ChildPugh, Drug, DrugFact, Relation
from retrieval.drugs.infer import Inference
from retrieval.drugs.names import Lexicon, Mention, normalise
from retrieval.drugs.tables import AdjustmentRow, ConditionRow, DrugRow, EffectRow, Source, Tables, listed
from retrieval.drugs.text import Name, class_fact, make_fact
from retrieval.messages.catalogue import messages

pair = messages("retrieval.drugs").pair

T = TypeVar("T")

# A text that says a condition so does not say it of the patient; `-` in the table: a past one leaves nothing behind.
_NOT_HIS = frozenset({"negated", "family", "hypothetical"})
_NOTHING = "-"


class FactGraph:
    """The facts in memory, by drug, pair, rule and name; `retrieval.drugs.graph.DrugGraph` adds checks and questions."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._names = Names.of(tables)
        self._lexicon = Lexicon(tables)
        self._drugs = {row.id: _drug(row, self._names) for row in tables.drugs}
        self._conditions = {c.id: c for c in tables.conditions}
        self._condition_ids = {c.name.lower(): c.id for c in tables.conditions}
        self._sources = {s.source_id: s for s in tables.sources}
        self._groups = {d.id: tuple(dict.fromkeys((d.drug_class, *listed(d.groups)))) for d in tables.drugs}
        self._duplicate = {c.id for c in tables.classes if c.duplicate == "1"}
        self._facts = distinct(listed_facts(tables))
        self._by_subject: dict[str, list[DrugFact]] = defaultdict(list)
        self._pairs: dict[frozenset[str], DrugFact] = {}
        for fact in self._facts:
            for subject in dict.fromkeys(fact.subjects):
                self._by_subject[subject].append(fact)
            if fact.relation == "interacts_with":
                self._pairs[frozenset(fact.subjects)] = fact
        self._unless = {
            (drug.id, row.condition): row.unless
            for row in tables.contraindications
            if row.unless
            for drug, _ in self._names.expand(row.drug)
        }
        self._rules: dict[str, list[tuple[AdjustmentRow, DrugFact]]] = defaultdict(list)
        self._index_rules()
        self._inference = Inference(
            enzymes=_grouped([(e.drug, e) for e in tables.enzymes]),
            adverse=_grouped([(d.id, v) for v in tables.adverse for d, _ in self._names.expand(v.drug)]),
            effects={e.id: e for e in tables.effects},
            narrow=frozenset(self._names.members.get("narrow_index", ())),
            sources=self._sources,
        )

    def _index_rules(self) -> None:
        facts = iter([f for f in self._facts if f.relation == "adjusts_for"])
        for row in self._tables.adjustments:
            for drug, _ in self._names.expand(row.drug):
                self._rules[drug.id].append((row, next(facts)))

    @property
    def atc_source(self) -> Source:
        """Source of names and classes."""
        return self._sources["who-atc"]

    @property
    def tables(self) -> Tables:
        """The rows behind the graph."""
        return self._tables

    def drugs(self) -> tuple[Drug, ...]:
        """All drugs, in table order."""
        return tuple(self._drugs.values())

    def all_facts(self) -> tuple[DrugFact, ...]:
        """All listed facts."""
        return self._facts

    def conditions(self) -> tuple[ConditionRow, ...]:
        """All conditions."""
        return self._tables.conditions

    def drug(self, drug_id: str) -> Drug:
        """The drug with this id; `KeyError` when there is none."""
        return self._drugs[drug_id]

    def name(self, drug_id: str) -> Name:
        """Names of a drug."""
        return self._names.drugs[drug_id]

    def group_name(self, group: str) -> Name:
        """Names of a class or group."""
        return self._names.groups[group]

    def groups_of(self, drug_id: str) -> tuple[str, ...]:
        """Class and groups of a drug."""
        return self._groups[drug_id]

    def members(self, group: str) -> tuple[Drug, ...]:
        """Drugs of a class or group."""
        return tuple(self._drugs[i] for i in self._names.members.get(group, ()))

    def is_duplicate_group(self, group: str) -> bool:
        """Whether two members together are a duplication."""
        return group in self._duplicate

    def find(self, name: str) -> Drug | None:
        """The drug of exactly this name (English, Chinese, brand, synonym, ATC code); no fuzzy match, no combined product."""
        entry = self._lexicon.lookup(name)
        if entry and entry[0] == "drug":
            return self._drugs[entry[1][0]]
        by_code = [d for d in self._drugs.values() if d.atc and d.atc.lower() == name.strip().lower()]
        return by_code[0] if by_code else None

    def resolve(self, name: str) -> tuple[Drug, ...]:
        """Drugs of a name that may be a combined product (`Symbicort`, `amoxicillin 500 mg tablets`); empty when unknown."""
        found = self.find(name)
        return (found,) if found else self.mentions(name)

    def suggest(self, name: str) -> str | None:
        """A close drug name for a misspelling, to be offered and never used."""
        return self._lexicon.suggest(name)

    def scan(self, text: str) -> tuple[Mention, ...]:
        """All known names in a text."""
        return self._lexicon.scan(text)

    def unknown_names(self, text: str) -> tuple[str, ...]:
        """Words of the text that look like drug names and are not in the graph."""
        return self._lexicon.unknown(text)

    def mentions(self, text: str) -> tuple[Drug, ...]:
        """Drugs named in a free text, in order; a combined product gives its parts, a class name gives nothing."""
        ids = [i for m in self.scan(text) if m.kind in ("drug", "combination") for i in m.ids]
        return tuple(self._drugs[i] for i in dict.fromkeys(ids))

    def match_conditions(self, text: str, code: str | None = None) -> tuple[str, ...]:
        """Condition ids that a text says of the patient, or its ICD-10 code falls under; of a passing one that is past, what it leaves."""
        flat = normalise(text)
        found = [(m, statuses(flat, m.start, m.end)) for m in self.scan(text) if m.kind == "condition"]
        past = any("historical" in said for _, said in found)
        ids = [self._held(i, past="historical" in said) for m, said in found if not said & _NOT_HIS for i in m.ids]
        plain = normalise(code).upper().removeprefix("ICD 10:").replace(" ", "") if code else ""
        if plain:
            coded = (c.id for c in self._tables.conditions if any(plain.startswith(p) for p in listed(c.icd10)))
            ids += [self._held(i, past=past) for i in coded]
        return tuple(dict.fromkeys(i for i in ids if i != _NOTHING))

    def _held(self, condition: str, *, past: bool) -> str:
        """The condition itself, or what it leaves behind once it is past."""
        return (past and self._conditions[condition].past) or condition

    def with_parents(self, conditions: Iterable[str]) -> tuple[str, ...]:
        """The conditions and what they are kinds of."""
        held = list(dict.fromkeys(conditions))
        for condition in held:
            held += [p for p in listed(self._conditions[condition].parents) if p not in held]
        return tuple(held)

    def condition(self, condition_id: str) -> ConditionRow:
        """The condition with this id."""
        return self._conditions[condition_id]

    def effect(self, effect_id: str) -> EffectRow:
        """The adverse effect with this id."""
        return self._inference.effects[effect_id]

    def condition_of(self, fact: DrugFact) -> str | None:
        """Condition id that a `treats` or `contraindicated_in` fact is about."""
        return self._condition_ids.get(fact.subjects[1])

    def excused(self, fact: DrugFact, drugs: Iterable[str]) -> bool:
        """Whether a contraindication falls away because a drug of the class that its row names is taken too."""
        group = self._unless.get((fact.subjects[0], self.condition_of(fact) or ""))
        return group is not None and any(group in self._groups[d] for d in drugs)

    def facts(self, subjects: Iterable[str], relations: Sequence[Relation] | None = None) -> tuple[DrugFact, ...]:
        """Listed facts about any of the subjects (drug ids, condition names, enzymes), each once."""
        found = {f.key: f for s in subjects for f in self._by_subject.get(s, ()) if relations is None or f.relation in relations}
        return tuple(found.values())

    def interactions(self, a: str, b: str) -> tuple[DrugFact, ...]:
        """The listed interaction of a pair, or else the inferred ones; empty means not in the graph."""
        known = self._pairs.get(frozenset((a, b)))
        if known:
            return (known,)
        return self._inference.between(self.name(a), self.name(b))

    def dose_rules(
        self, drug_id: str, crcl: float | None = None, egfr: float | None = None, hepatic: ChildPugh | None = None
    ) -> tuple[DrugFact, ...]:
        """Renal and hepatic rules whose band holds; an eGFR stands in for a missing CrCl and the other way round."""
        kidney = {"crcl": crcl if crcl is not None else egfr, "egfr": egfr if egfr is not None else crcl}
        found = []
        for row, fact in self._rules.get(drug_id, ()):
            value = kidney.get(row.metric)
            if row.metric == "child_pugh":
                held = hepatic is not None and row.low <= hepatic <= row.high
            else:
                held = value is not None and float(row.low) <= value < float(row.high)
            if held:
                found.append(fact)
        return tuple(found)

    def cross_reactions(self, allergen: str, drug_id: str) -> tuple[DrugFact, ...]:
        """What an allergy to one drug says about another, or about the same one."""
        if allergen == drug_id:
            name = self.name(drug_id)
            texts = pair("After an allergy to {drug}, the same drug is contraindicated.", drug=(name.en, name.zh))
            source = self._sources["khan-2022"]
            path = (f"patient -allergic_to-> {drug_id}",)
            return (make_fact("cross_reacts_with", (allergen, drug_id), texts, source, path, "contraindicated"),)
        return tuple(f for f in self.facts((allergen,), ("cross_reacts_with",)) if f.subjects == (allergen, drug_id))

    def same_class(self, drug_id: str) -> tuple[DrugFact, ...]:
        """Other drugs of the same class."""
        group = self._groups[drug_id][0]
        others = [d for d in self.members(group) if d.id != drug_id]
        return tuple(class_fact(self.name(drug_id), self.name(d.id), self.group_name(group), self.atc_source, False) for d in others)

    def allergens(self, name: str) -> tuple[str, ...]:
        """Drug ids that an allergy entry names; a class name gives its members."""
        ids: list[str] = []
        for mention in self.scan(name):
            if mention.kind in ("drug", "combination"):
                ids += mention.ids
            elif mention.kind == "class":
                ids += self._names.members.get(mention.ids[0], ())
        return tuple(dict.fromkeys(ids))


def _drug(row: DrugRow, names: Names) -> Drug:
    synonyms = (*listed(row.synonyms), *listed(row.synonyms_zh))
    return Drug(row.id, row.name, row.name_zh, row.atc or None, names.groups[row.drug_class].en, synonyms)


def _grouped(pairs: list[tuple[str, T]]) -> dict[str, tuple[T, ...]]:
    found: dict[str, list[T]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return {key: tuple(values) for key, values in found.items()}
