"""Interactions that no row lists: inferred from enzyme edges and from shared adverse effects, always marked `inferred` with their path.

The severity grid follows the FDA's classes (Drug Interaction Studies guidance, 2020): a strong inhibitor raises the exposure of a sensitive
substrate at least five-fold, a moderate one two- to five-fold, a weak one less than two-fold.
"""

from dataclasses import dataclass
from typing import get_args

from retrieval.drugs.facts import DrugFact, Severity
from retrieval.drugs.tables import AdverseRow, EffectRow, EnzymeRow, Source
from retrieval.drugs.text import SEVERITY_RANK, STRENGTH_ZH, Name, make_fact, sentence, sentence_zh

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
WORD_ZH: dict[Severity, str] = {"contraindicated": "禁忌", "major": "严重", "moderate": "中度", "minor": "轻度", "unknown": "未知"}


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
            ("reduce the activation" if up else "raise the activation") if prodrug else ("raise the levels" if up else "lower the levels")
        )
        text = (
            f"{a.en} may {change} of {b.en} ({severity}, inferred): {a.en} {cause.relation} {cause.target} "
            f"({cause.strength}) and {b.en} is its substrate ({target.strength}). "
            "No row of the graph lists this pair; check the labels of both drugs"
        )
        act = STRENGTH_ZH[cause.strength] + ("抑制" if up else "诱导")
        change_zh = ("减少{}的活化" if up else "增加{}的活化") if prodrug else ("升高{}的血药浓度" if up else "降低{}的血药浓度")
        text_zh = (
            f"{a.zh}可能{change_zh.format(b.zh)}（{WORD_ZH[severity]}，推断）：{a.zh}{act} {cause.target}，"
            f"{b.zh}为其底物。图谱未直接收录该组合，请查阅两药说明书"
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
            text = f"{a.en} and {b.en} both can cause {effect.name}, so the risk may add up ({severity}, inferred)"
            text_zh = f"{a.zh}与{b.zh}均可引起{effect.name_zh}，风险可能叠加（推断）"
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
