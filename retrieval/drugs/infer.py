"""Interactions that no row lists: inferred from enzyme edges and from shared adverse effects, always marked `inferred` with their path.

The severity grid follows the FDA's classes (Drug Interaction Studies guidance, 2020): a strong inhibitor raises the exposure of a sensitive
substrate at least five-fold, a moderate one two- to five-fold, a weak one less than two-fold.
"""

from dataclasses import dataclass
from typing import get_args

from retrieval.drugs.facts import DrugFact, Severity
from retrieval.drugs.tables import AdverseRow, EffectRow, EnzymeRow, Source
from retrieval.drugs.text import SEVERITY_RANK, STRENGTH_ZH, Name, make_fact, sentence, sentence_zh
from retrieval.messages.catalogue import messages

pair = messages("retrieval.drugs").pair

# FDA, Drug Interaction Studies guidance (2020): fold change by strength of the perpetrator and sensitivity of the substrate. A drug with a
# narrow therapeutic index is one step graver at the same change.
GRID: dict[tuple[str, str], Severity] = {
    ("strong", "sensitive"): "major",
    ("strong", "major"): "moderate",
    ("moderate", "sensitive"): "moderate",
    ("moderate", "major"): "minor",
    ("weak", "sensitive"): "minor",
    ("strong", "prodrug"): "moderate",
    ("moderate", "prodrug"): "minor",
}
GRAVER: dict[Severity, Severity] = {"minor": "moderate", "moderate": "major"}
_ACT = {"inhibits": pair("inhibits"), "induces": pair("induces")}
WORD_ZH = messages("retrieval.drugs").table("infer_word_zh")


@dataclass(frozen=True)
class Inference:
    """Edges by drug that interactions are inferred from."""

    enzymes: dict[str, tuple[EnzymeRow, ...]]
    adverse: dict[str, tuple[AdverseRow, ...]]
    effects: dict[str, EffectRow]
    narrow: frozenset[str]
    sources: dict[str, Source]

    def between(self, a: Name, b: Name) -> tuple[DrugFact, ...]:
        """Inferred interactions of the pair in both directions, most severe first."""
        facts = [*self._kinetic(a, b), *self._kinetic(b, a), *self._additive(a, b)]
        return tuple(sorted(facts, key=lambda f: (SEVERITY_RANK[f.severity or "unknown"], f.key)))

    def _kinetic(self, a: Name, b: Name) -> list[DrugFact]:
        best: dict[str, tuple[Severity, EnzymeRow, EnzymeRow]] = {}
        for cause in self.enzymes.get(a.id, ()):
            for target in self.enzymes.get(b.id, ()):
                if cause.relation == "substrate_of" or target.relation != "substrate_of" or cause.target != target.target:
                    continue
                severity = self._severity(cause, target)
                known = best.get(cause.relation)
                if severity and (known is None or SEVERITY_RANK[severity] < SEVERITY_RANK[known[0]]):
                    best[cause.relation] = (severity, cause, target)
        return [self._kinetic_fact(a, b, *found) for found in best.values()]

    def _severity(self, cause: EnzymeRow, target: EnzymeRow) -> Severity | None:
        """Severity by the size of the change of exposure; one step graver where the victim has a narrow therapeutic index."""
        severity = GRID.get((cause.strength, target.strength))
        return GRAVER.get(severity, severity) if severity is not None and target.drug in self.narrow else severity

    def _kinetic_fact(self, a: Name, b: Name, severity: Severity, cause: EnzymeRow, target: EnzymeRow) -> DrugFact:
        up, prodrug = cause.relation == "inhibits", target.strength == "prodrug"
        change = (
            (
                pair("reduce the activation of {drug}", drug=(b.en, b.zh))
                if up
                else pair("raise the activation of {drug}", drug=(b.en, b.zh))
            )
            if prodrug
            else (pair("raise the levels of {drug}", drug=(b.en, b.zh)) if up else pair("lower the levels of {drug}", drug=(b.en, b.zh)))
        )
        text, text_zh = pair(
            "{a} may {change} ({severity}, inferred): {a} {act} ({strength}) and {b} is its substrate ({use}). "
            "No row of the graph lists this pair; check the labels of both drugs",
            a=(a.en, a.zh),
            b=(b.en, b.zh),
            change=change,
            severity=(severity, WORD_ZH[severity]),
            act=(f"{cause.relation} {cause.target}", f"{_ACT[cause.relation][1]} {cause.target}"),
            strength=(cause.strength, STRENGTH_ZH[cause.strength]),
            use=target.strength,
        )
        path = (f"{a.id} -{cause.relation}-> {cause.target}", f"{b.id} -substrate_of-> {target.target}")
        return make_fact(
            "interacts_with",
            (a.id, b.id),
            (sentence(text), sentence_zh(text_zh)),
            self.sources[cause.source],
            path,
            severity,
            inferred=True,
        )

    def _additive(self, a: Name, b: Name) -> list[DrugFact]:
        theirs = {row.effect: row for row in self.adverse.get(b.id, ())}
        facts = []
        for mine in self.adverse.get(a.id, ()):
            other, effect = theirs.get(mine.effect), self.effects[mine.effect]
            if other is None or not effect.additive:
                continue
            lesser = {mine.risk, other.risk} & {"possible", "rare", "uncommon"}
            severity = severity_of(effect.additive)
            if lesser and severity == "major":
                severity = "moderate"
            text, text_zh = pair(
                "{drug} and {other} both can cause {name}, so the risk may add up ({severity}, inferred)",
                drug=(a.en, a.zh),
                other=(b.en, b.zh),
                name=(effect.name, effect.name_zh),
                severity=severity,
            )
            path = (f"{a.id} -causes-> {effect.name}", f"{b.id} -causes-> {effect.name}")
            texts = (sentence(text), sentence_zh(text_zh))
            facts.append(make_fact("interacts_with", (a.id, b.id), texts, self.sources[mine.source], path, severity, inferred=True))
        return facts


def severity_of(cell: str) -> Severity:
    """A severity cell as its type; the tables were validated."""
    for severity in get_args(Severity):
        if severity == cell:
            return severity  # type: ignore[no-any-return]
    raise ValueError(cell)
