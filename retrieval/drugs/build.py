"""Expansion of the tables into facts: `@group` rows become one fact per member, the most specific row of a pair wins."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from retrieval.drugs.facts import DrugFact
from retrieval.drugs.infer import severity_of
from retrieval.drugs.tables import CrossReactivityRow, InteractionRow, Tables, listed
from retrieval.drugs.text import (
    LINE_RANK,
    SEVERITY_RANK,
    Name,
    adjustment_fact,
    adverse_fact,
    contraindication_fact,
    cross_fact,
    enzyme_fact,
    interaction_fact,
    membership_fact,
    monitor_fact,
    pregnancy_fact,
    treats_fact,
)


@dataclass(frozen=True)
class Names:
    """Names and membership used to expand rows."""

    drugs: dict[str, Name]
    groups: dict[str, Name]
    members: dict[str, tuple[str, ...]]

    @staticmethod
    def of(tables: Tables) -> "Names":
        """Read names and members of classes and groups, in table order."""
        members: dict[str, list[str]] = defaultdict(list)
        for drug in tables.drugs:
            for group in dict.fromkeys((drug.drug_class, *listed(drug.groups))):
                members[group].append(drug.id)
        return Names(
            drugs={d.id: Name(d.id, d.name, d.name_zh) for d in tables.drugs},
            groups={c.id: Name(c.id, c.name, c.name_zh) for c in tables.classes},
            members={group: tuple(ids) for group, ids in members.items()},
        )

    def expand(self, end: str) -> Iterator[tuple[Name, tuple[str, ...]]]:
        """Drugs of an end with the membership step that led there."""
        if not end.startswith("@"):
            yield self.drugs[end], ()
            return
        group = self.groups[end[1:]]
        for member in self.members.get(group.id, ()):
            yield self.drugs[member], (f"{member} -member_of-> {group.en}",)

    def label(self, end: str) -> str:
        """Id of a drug, or the name of a group, as paths show it."""
        return self.groups[end[1:]].en if end.startswith("@") else end


def interactions(tables: Tables, names: Names) -> list[DrugFact]:
    """One fact per unordered pair: the row with fewest groups wins, then the most severe."""
    best: dict[frozenset[str], tuple[tuple[int, int], InteractionRow, Name, Name, tuple[str, ...]]] = {}
    for row in tables.interactions:
        rank = ((row.a[0] == "@") + (row.b[0] == "@"), SEVERITY_RANK[row.severity])
        for a, step_a in names.expand(row.a):
            for b, step_b in names.expand(row.b):
                pair = frozenset((a.id, b.id))
                if len(pair) == 2 and (pair not in best or rank < best[pair][0]):
                    best[pair] = (rank, row, a, b, step_a + step_b)
    sources = {s.source_id: s for s in tables.sources}
    facts = []
    for _, row, a, b, steps in best.values():
        path = (*steps, f"{names.label(row.a)} -interacts_with-> {names.label(row.b)}")
        facts.append(interaction_fact(row, a, b, severity_of(row.severity), sources[row.source], path))
    return facts


def listed_facts(tables: Tables) -> tuple[DrugFact, ...]:
    """All facts that the tables state."""
    names = Names.of(tables)
    return (*interactions(tables, names), *_clinical(tables, names), *_pharmacology(tables, names))


def _clinical(tables: Tables, names: Names) -> Iterator[DrugFact]:
    sources = {s.source_id: s for s in tables.sources}
    conditions = {c.id: c for c in tables.conditions}
    for t in sorted(tables.treats, key=lambda row: LINE_RANK[row.line]):
        condition = conditions[t.condition]
        for drug, step in names.expand(t.drug):
            path = (*step, f"{names.label(t.drug)} -treats-> {condition.name}")
            yield treats_fact(t, drug, Name(condition.id, condition.name, condition.name_zh), sources[t.source], path)
    exact = {(c.drug, c.condition) for c in tables.contraindications}
    for c in tables.contraindications:
        condition = conditions[c.condition]
        for drug, step in names.expand(c.drug):
            if step and (drug.id, c.condition) in exact:
                continue
            path = (*step, f"{names.label(c.drug)} -contraindicated_in-> {condition.name}")
            yield contraindication_fact(c, drug, condition, sources[c.source], path)
    exact_p = {(p.drug, p.period) for p in tables.pregnancy}
    for p in tables.pregnancy:
        for drug, step in names.expand(p.drug):
            if not (step and (drug.id, p.period) in exact_p):
                yield pregnancy_fact(p, drug, sources[p.source], (*step, f"{names.label(p.drug)} -{p.period}-> {p.level}"))
    yield from _cross_reactions(tables, names)


def _cross_reactions(tables: Tables, names: Names) -> Iterator[DrugFact]:
    """One fact per ordered pair of allergen and drug: the row with fewest groups wins, then the most severe."""
    sources = {s.source_id: s for s in tables.sources}
    best: dict[tuple[str, str], tuple[tuple[int, int], CrossReactivityRow, tuple[str, ...]]] = {}
    for row in tables.cross_reactivity:
        rank = ((row.a[0] == "@") + (row.b[0] == "@"), SEVERITY_RANK[row.level])
        for a, step_a in names.expand(row.a):
            for b, step_b in names.expand(row.b):
                if a.id != b.id and ((a.id, b.id) not in best or rank < best[a.id, b.id][0]):
                    best[a.id, b.id] = (rank, row, step_a + step_b)
    for (first, second), (_, row, steps) in best.items():
        path = (*steps, f"{names.label(row.a)} -cross_reacts_with-> {names.label(row.b)}")
        a, b = names.drugs[first], names.drugs[second]
        yield cross_fact(row, a, b, severity_of(row.level), sources[row.source], path)


def _pharmacology(tables: Tables, names: Names) -> Iterator[DrugFact]:
    sources = {s.source_id: s for s in tables.sources}
    effects = {e.id: e for e in tables.effects}
    for e in tables.enzymes:
        for drug, _ in names.expand(e.drug):
            yield enzyme_fact(e, drug, sources[e.source])
    for row in tables.adjustments:
        for drug, step in names.expand(row.drug):
            yield adjustment_fact(row, drug, sources[row.source], (*step, f"{names.label(row.drug)} -adjusts_for-> {row.metric}"))
    for m in tables.monitors:
        for drug, step in names.expand(m.drug):
            yield monitor_fact(m, drug, sources[m.source], (*step, f"{names.label(m.drug)} -monitors-> {m.lab}"))
    for v in tables.adverse:
        for drug, _ in names.expand(v.drug):
            yield adverse_fact(v, drug, effects[v.effect], sources[v.source])
    for d in tables.drugs:
        yield membership_fact(names.drugs[d.id], names.groups[d.drug_class], sources["who-atc"])


def distinct(facts: tuple[DrugFact, ...]) -> tuple[DrugFact, ...]:
    """The facts without repetition and with a key of their own: where two hashes agree in six digits, the later one is hashed again."""
    taken: dict[str, str] = {}
    kept = []
    for fact in facts:
        if taken.get(fact.key) == fact.text:
            continue
        key = fact.key
        while key in taken:
            key = f"D-{hashlib.sha256((key + fact.text).encode()).hexdigest()[:6]}"
        taken[key] = fact.text
        kept.append(fact if key == fact.key else replace(fact, key=key))
    return tuple(kept)
