"""The text of an answer by part: headline, this patient, evidence, missing; each sentence with its numbered citations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.answering.answer import Claim
from agent.answering.draft import Part
from agent.answering.labs import system_of
from agent.turn.prompts import SECTIONS
from tools.evidence import Evidence, Language

PARTS: tuple[Part, ...] = ("headline", "patient", "evidence")


@dataclass(frozen=True)
class Said:
    """A verified claim with the part of the answer and the heading that it stands under."""

    claim: Claim
    part: Part
    heading: str


def text_of(said: Sequence[Said], evidence: Mapping[str, Evidence], number: Mapping[str, int], language: Language, more: bool) -> str:
    """The text of one part.

    Args:
        said: Claims of the part, those of one heading together.
        evidence: All evidence by key.
        number: Number of each cited key.
        language: Of the headings.
        more: Whether what did not fit into the answer belongs to it.
    """
    shown = [s for s in said if more or s.part != "more"]
    headings = list(dict.fromkeys(s.heading for s in shown))
    titled = len(headings) > 1 and any(s.part != "headline" for s in shown)
    blocks = []
    for heading in headings:
        rows = _rows([s.claim for s in shown if s.heading == heading], evidence, number, language)
        blocks.append("\n".join([*([f"**{SECTIONS[heading][language]}**"] if titled else []), *rows]))
    return "\n".join(blocks)


def _rows(claims: Sequence[Claim], evidence: Mapping[str, Evidence], number: Mapping[str, int], language: Language) -> list[str]:
    """Claims a line each; laboratory values of one system share a line, and so do neighbours out of one passage."""
    rows: list[tuple[object, str]] = []
    for claim in claims:
        first = evidence[claim.evidence[0]]
        system = system_of(first, language)
        group: object = system if system is not None else claim.evidence if first.kind in ("guideline", "document") else claim
        text = f"{claim.text} {''.join(f'[{number[k]}]' for k in claim.evidence)}"
        if rows and rows[-1][0] == group:
            rows[-1] = (group, f"{rows[-1][1]} {text}")
        else:
            rows.append((group, f"{system}: {text}" if system is not None else text))
    return [row for _, row in rows]
