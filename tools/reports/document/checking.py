"""The linter on a document as it stands: its remarks, each with the sentences it speaks of."""

from dataclasses import dataclass, replace

from retrieval.messages.catalogue import messages
from tools.deps import Deps
from tools.reports.check import checked
from tools.reports.document.record import ReportDocument
from tools.reports.document.template import Reads
from tools.reports.lint.remarks import Remark

pair = messages("tools.reports").pair

_HEADINGS: dict[Reads, tuple[str, str]] = {
    "history": pair("CLINICAL INFORMATION"),
    "technique": pair("TECHNIQUE"),
    "comparison": pair("COMPARISON"),
    "findings": pair("FINDINGS"),
    "impression": pair("IMPRESSION"),
}


@dataclass(frozen=True)
class Remarked:
    """One remark of the linter and the ids of the sentences it quotes."""

    remark: Remark
    sentences: tuple[str, ...]


def linter_text(document: ReportDocument) -> str:
    """The report as the linter reads it: its own headings, sections of one kind together; what was not assessed is left out."""
    at = 1 if document.language == "zh" else 0
    parts = []
    for reads, heading in _HEADINGS.items():
        said = [s.text for section, rows in document.printed() if section.reads == reads for s in rows]
        if said:
            parts.append("\n".join([f"{heading[at]}：" if at else f"{heading[at]}:", *said]))
    return "\n\n".join(parts)


def _worth_a_look(remark: Remark) -> Remark:
    """A remark that is more likely wrong than right, said as such."""
    said = pair("To look at: {said}", said=(remark.text, remark.text_zh))
    return replace(remark, text=said[0], text_zh=said[1])


def remarks_on(document: ReportDocument, deps: Deps) -> tuple[Remarked, ...]:
    """What the linter says of the document, against itself, the case and the measured study."""
    found = checked(linter_text(document), deps, document.study.study)
    said = [s for _, rows in document.printed() for s in rows]
    out = []
    for remark in (*found.remarks, *(_worth_a_look(r) for r in found.look)):
        ids = tuple(dict.fromkeys(s.id for place in remark.places for s in said if place in s.text or s.text in place))
        out.append(Remarked(remark, ids))
    return tuple(out)
