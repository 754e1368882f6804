"""What an answer shows besides sentences: a drafted report by sections, a drug ranking with warnings, out of the turn's tool results."""

from agent.answering.answer import Claim, DrugRow, DrugWarning, Removed, ReportSection, ReportSentence
from agent.turn.ledger import Ledger
from tools.drugs.payload import CandidateRow, RankingData
from tools.evidence import Language, P
from tools.reports.payload import DraftData, SectionRow

# Candidates and rejected drugs that a table shows.
_MOST_RANKED, _MOST_REJECTED = 6, 6


def _last(ledger: Ledger, kind: type[P]) -> P | None:
    """The last payload of a kind in this turn."""
    found = [data for s in ledger.steps if (data := s.result.payload(kind)) is not None]
    return found[-1] if found else None


def _sections(ledger: Ledger) -> tuple[SectionRow, ...]:
    draft = _last(ledger, DraftData)
    return draft.sections if draft else ()


def report_of(ledger: Ledger, claims: list[Claim]) -> tuple[ReportSection, ...]:
    """The drafted report by sections: only sentences that are claims of the answer, in their words."""
    said = {key: claim.text for claim in claims for key in claim.evidence}
    sections = []
    for section in _sections(ledger):
        rows = [r for r in section.sentences if r.evidence in said]
        sentences = tuple(ReportSentence(text=said[r.evidence], origin=r.origin, evidence=r.evidence) for r in rows)
        if sentences:
            sections.append(ReportSection(name=section.name, sentences=sentences))
    return tuple(sections)


def draft_places(ledger: Ledger) -> dict[str, str]:
    """Evidence key of each sentence of the turn's drafted report to its section, in the report's order."""
    return {row.evidence: f"draft_{section.name}" for section in _sections(ledger) for row in section.sentences}


def withheld_of(ledger: Ledger) -> tuple[Removed, ...]:
    """Sentences of the report decoder that were left out of the draft."""
    draft = _last(ledger, DraftData)
    return tuple(Removed(text=r.text, because=r.because) for r in (draft.withheld if draft else ()))


def drugs_of(ledger: Ledger, language: Language) -> tuple[DrugRow, ...]:
    """The ranking of the turn: candidates, then rejected drugs."""
    data = _last(ledger, RankingData) or RankingData()
    return tuple(_drug(row, language) for row in (*data.ranked[:_MOST_RANKED], *data.rejected[:_MOST_REJECTED]))


def _drug(row: CandidateRow, language: Language) -> DrugRow:
    zh = language == "zh"
    warnings = tuple(DrugWarning(text=w.text_zh if zh and w.text_zh else w.text, severity=w.severity, evidence=w.key) for w in row.warnings)
    return DrugRow(
        name=row.drug_zh if zh and row.drug_zh else row.drug,
        line=row.line,
        score=row.score,
        dose=row.dose or "",
        because=row.because,
        model_score=row.model_score,
        model_rank=row.model_rank,
        warnings=warnings,
    )
