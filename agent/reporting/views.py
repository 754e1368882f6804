"""What the page is given of a report: the document, what hinders signing, and what the linter says now."""

from pydantic import BaseModel, ConfigDict

from tools.reports.document.record import ReportDocument

# Who changes a report where nobody is logged in.
READER = "reader"


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class RemarkView(_View):
    """One remark of the linter in the language of the report; `sentences` are the ids that it quotes."""

    kind: str
    text: str
    suggestion: str
    sentences: tuple[str, ...]


class ReportView(_View):
    """A report as it stands.

    Attributes:
        document: All of it, with its history.
        obstacle: Why it cannot be signed yet, in its language; None when it can.
        registered: Whether it is signed and this installation made the signature.
        remarks: Of the linter.
        addenda: Ids of addenda to it that are kept.
    """

    document: ReportDocument
    obstacle: str | None = None
    registered: bool = False
    remarks: tuple[RemarkView, ...] = ()
    addenda: tuple[str, ...] = ()


class SigningView(_View):
    """What a person is shown before signing: the frozen text and its digest, which comes back with the name."""

    sha256: str
    text: str
    remarks: int


class FileView(_View):
    """A file that was made: its name, media type and bytes, and what its reader must know."""

    name: str
    media: str
    body: bytes
    warnings: tuple[str, ...] = ()
