"""What an answer shows besides sentences: a drafted report by sections, a drug ranking with warnings, out of the turn's tool results."""

from typing import Any

from agent.answering.answer import Claim, DrugRow, DrugWarning, Removed, ReportSection, ReportSentence
from agent.turn.ledger import Ledger
from tools.evidence import Language

# Candidates and rejected drugs that a table shows.
_MOST_RANKED, _MOST_REJECTED = 6, 6


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _data(ledger: Ledger, tool: str, key: str) -> list[dict[str, Any]]:
    """Rows of the last result of a tool in this turn."""
    found = [s.result.data for s in ledger.steps if s.result.tool == tool and s.result.data.get(key)]
    return _rows(found[-1].get(key)) if found else []


def report_of(ledger: Ledger, claims: list[Claim]) -> tuple[ReportSection, ...]:
    """The drafted report by sections: only sentences that are claims of the answer, in their words."""
    said = {key: claim.text for claim in claims for key in claim.evidence}
    sections = []
    for section in _data(ledger, "draft_report", "sections"):
        rows = [r for r in _rows(section.get("sentences")) if r.get("evidence") in said]
        sentences = tuple(ReportSentence(text=said[r["evidence"]], origin=r["origin"], evidence=r["evidence"]) for r in rows)
        if sentences:
            sections.append(ReportSection(name=str(section["name"]), sentences=sentences))
    return tuple(sections)


def draft_places(ledger: Ledger) -> dict[str, str]:
    """Evidence key of each sentence of the turn's drafted report to its section, in the report's order."""
    sections = _data(ledger, "draft_report", "sections")
    return {str(row["evidence"]): f"draft_{section['name']}" for section in sections for row in _rows(section.get("sentences"))}


def withheld_of(ledger: Ledger) -> tuple[Removed, ...]:
    """Sentences of the report decoder that were left out of the draft."""
    return tuple(Removed(text=str(r["text"]), because=str(r["because"])) for r in _data(ledger, "draft_report", "withheld"))


def drugs_of(ledger: Ledger, language: Language) -> tuple[DrugRow, ...]:
    """The ranking of the turn: candidates, then rejected drugs."""
    ranked = _data(ledger, "rank_drugs", "ranked")[:_MOST_RANKED]
    rejected = _data(ledger, "rank_drugs", "rejected")[:_MOST_REJECTED]
    return tuple(_drug(row, language) for row in (*ranked, *rejected))


def _drug(row: dict[str, Any], language: Language) -> DrugRow:
    zh = language == "zh"
    warnings = tuple(
        DrugWarning(text=str((w.get("text_zh") if zh else None) or w["text"]), severity=str(w["severity"]), evidence=str(w["key"]))
        for w in _rows(row.get("warnings"))
    )
    return DrugRow(
        name=str((row.get("drug_zh") if zh else None) or row["drug"]),
        line=str(row["line"]),
        score=float(row["score"]),
        dose=str(row.get("dose") or ""),
        because=row.get("because"),
        model_score=row.get("model_score"),
        model_rank=row.get("model_rank"),
        warnings=warnings,
    )
