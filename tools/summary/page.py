"""The page for one audience: its sections in order, each cut to its share, with the evidence behind every line."""

from collections.abc import Callable

from tools.deps import Deps
from tools.evidence import Language
from tools.reports.export.cited import numbered
from tools.reports.export.sheet import Block, Heading, Line, Sheet
from tools.reports.export.words import case_name, say
from tools.summary.changes import changes
from tools.summary.contradictions import contradictions
from tools.summary.gather import Gathered
from tools.summary.patient import background, fitness, situation
from tools.summary.problems import problems
from tools.summary.questions import pending, questions
from tools.summary.record import Audience, CaseSummary, SummaryLine, SummarySection, table, words
from tools.summary.tumour import needed, tumour
from tools.wording import typeset

_SECTIONS: dict[str, Callable[[Gathered], list[SummaryLine]]] = {
    "situation": situation,
    "problems": problems,
    "contradictions": contradictions,
    "changed": changes,
    "questions": questions,
    "background": background,
    "pending": pending,
    "tumour": tumour,
    "fitness": fitness,
    "needed": needed,
}
# A section that may be empty says so instead of vanishing: an empty list of contradictions is a result.
_SAYS_NONE = ("contradictions", "changed", "pending", "problems")


def summarise(deps: Deps, audience: Audience) -> CaseSummary:
    """The case on one page.

    Args:
        deps: The case; with an engine the model's findings are among the problems, without one only what is measured.
        audience: For whom.

    Raises:
        BadInput: No case is open.
    """
    g = Gathered(deps)
    row = table("audiences")[audience]
    shown: set[str] = set()
    later = {x.evidence[0] for x in contradictions(g)}
    sections = []
    for name, most in row["sections"]:
        lines = [x for x in _SECTIONS[name](g) if x.text not in shown]
        lines = _once(lines, name, later)
        shown |= {x.text for x in lines[:most]}
        heading = table("audiences")["headings"][name]
        if lines or name in _SAYS_NONE:
            kept = tuple(lines[:most])
            sections.append(
                SummarySection(name=name, heading=heading["en"], heading_zh=heading["zh"], lines=kept, more=len(lines) - len(kept))
            )
    keys = dict.fromkeys(k for s in sections for x in s.lines for k in x.evidence)
    evidence = tuple(e for k in keys if (e := g.item(k)) is not None)
    return CaseSummary(
        audience=audience,
        title=row["title"]["en"],
        title_zh=row["title"]["zh"],
        case_id=g.case.case_id,
        synthetic=g.case.synthetic,
        sections=tuple(sections),
        evidence=evidence,
    )


def _once(lines: list[SummaryLine], section: str, contradicted: set[str]) -> list[SummaryLine]:
    """Problems without what is background, and without what stands under the contradictions and needs no action now."""
    if section != "problems":
        return lines
    return [x for x in lines if x.level == "act_now" or (x.level != "background" and x.evidence[0] not in contradicted)]


def sheet_of(summary: CaseSummary, language: Language) -> Sheet:
    """The page to print."""
    blocks: list[Block] = []
    numbers, sources = numbered(summary.evidence, language)
    for section in summary.sections:
        blocks.append(Heading(section.heading_zh if language == "zh" else section.heading))
        for x in section.lines:
            tag = say_level(x, language) if section.name in ("problems", "contradictions") else None
            note = "".join(f"[{n}]" for n in sorted({numbers[key] for key in x.evidence if key in numbers}))
            blocks.append(Line(typeset(x.said(language)), tag=tag, note=note, look="danger" if x.level == "act_now" else "bullet"))
        if not section.lines:
            blocks.append(Line(words("none")[_at(language)], look="small"))
        if section.more:
            blocks.append(Line(words("more", n=section.more)[_at(language)], look="small"))
    if sources:
        listed = ("；" if language == "zh" else "; ").join(f"[{n}] {source}" for n, source in enumerate(sources, 1))
        blocks.append(Line(f"{say('sources', language)}{'：' if language == 'zh' else ': '}{listed}", look="small"))
    name = case_name(summary.case_id, language)
    case = name + (f"（{say('synthetic', language)}）" if language == "zh" and summary.synthetic else "")
    if language == "en" and summary.synthetic:
        case = f"{name} ({say('synthetic', language)})"
    return Sheet(
        title=summary.title_zh if language == "zh" else summary.title,
        language=language,
        head=((say("case", language), case),),
        blocks=tuple(blocks),
        foot=words("foot")[_at(language)],
        dense=True,
    )


def say_level(x: SummaryLine, language: Language) -> str:
    """The danger of a line in a word."""
    return words(f"level_{x.level}")[_at(language)]


def _at(language: Language) -> int:
    return 1 if language == "zh" else 0
