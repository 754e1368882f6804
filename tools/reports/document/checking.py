"""The linter on a document as it stands: its remarks, each with the sentences it speaks of."""

from dataclasses import dataclass

from tools.deps import Deps
from tools.reports.check import checked
from tools.reports.document.record import ReportDocument
from tools.reports.document.template import Reads
from tools.reports.lint.remarks import Remark

_HEADINGS: dict[Reads, tuple[str, str]] = {
    "history": ("CLINICAL INFORMATION", "临床信息"),
    "technique": ("TECHNIQUE", "检查技术"),
    "comparison": ("COMPARISON", "对比检查"),
    "findings": ("FINDINGS", "影像所见"),
    "impression": ("IMPRESSION", "印象"),
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


def remarks_on(document: ReportDocument, deps: Deps) -> tuple[Remarked, ...]:
    """What the linter says of the document, against itself, the case and the measured study."""
    found = checked(linter_text(document), deps, document.study.study)
    said = [s for _, rows in document.printed() for s in rows]
    out = []
    for remark in found.remarks:
        ids = tuple(dict.fromkeys(s.id for place in remark.places for s in said if place in s.text or s.text in place))
        out.append(Remarked(remark, ids))
    return tuple(out)
