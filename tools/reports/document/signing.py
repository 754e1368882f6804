"""What must be true before a report is signed, and the one function that seals it.

`seal` is called from one place, the node behind the interrupt of `agent.reporting.graph`; a test keeps it so.
"""

from dataclasses import dataclass

from retrieval.messages.catalogue import messages
from tools.errors import BadInput
from tools.reports.document.compose import now
from tools.reports.document.record import Change, DocSentence, ReportDocument, Signature, digest, text_digest

pair = messages("tools.reports").pair

BLANK = "__"


@dataclass(frozen=True)
class Obstacles:
    """Why a report cannot be signed yet.

    Attributes:
        proposed: Sentences that nobody has accepted, edited or struck.
        blank: Sentences with a size that is left open.
        empty: Whether nothing would be signed.
    """

    proposed: tuple[DocSentence, ...]
    blank: tuple[DocSentence, ...]
    empty: bool

    def told(self) -> tuple[str, str] | None:
        """In English and Chinese; None when there is none."""
        if self.empty:
            return pair("there is nothing to sign: the report has no sentence")
        if self.blank:
            ids = ", ".join(s.id for s in self.blank)
            return pair("sizes are left open (__) in {ids}: fill them in or strike the sentence", ids=ids)
        if self.proposed:
            ids = ", ".join(s.id for s in self.proposed)
            n = len(self.proposed)
            en = f"{n} drafted sentence{'s are' if n > 1 else ' is'} not decided on ({ids}): accept, edit or strike each"
            return pair("{text}, or accept all", text=en, count=n, ids=ids)
        return None


def obstacles(document: ReportDocument) -> Obstacles:
    """What stands in the way of a signature."""
    said = [s for _, sentences in document.printed() for s in sentences]
    return Obstacles(
        proposed=tuple(s for s in said if s.state == "proposed"), blank=tuple(s for s in said if BLANK in s.text), empty=not said
    )


def seal(document: ReportDocument, name: str, seen: str) -> ReportDocument:
    """The signed document.

    Args:
        document: As it was shown.
        name: Who signs.
        seen: sha256 of the text that this person was shown (`text_digest`).

    Raises:
        BadInput: Signed already, not ready, another text than the one shown, or no name.
    """
    signer = " ".join(name.split())
    told = obstacles(document).told()
    if document.signature is not None:
        raise BadInput(f"this report was signed by {document.signature.name} already: write an addendum")
    if told is not None:
        raise BadInput(told[0])
    if not 2 <= len(signer) <= 120:
        raise BadInput("a signature needs the name of the person who signs (2 to 120 characters)")
    if seen != text_digest(document):
        raise BadInput("the text changed after it was shown for signing: read it again and sign that")
    at = now()
    signature = Signature(name=signer, at=at, sha256=digest(document, signer, at))
    change = Change(number=len(document.changes) + 1, at=at, by=signer, kind="signed")
    data = document.model_copy(update={"signature": signature, "changes": (*document.changes, change), "version": document.version + 1})
    return ReportDocument.model_validate(data.model_dump())


def recorded(document: ReportDocument, entry: str) -> ReportDocument:
    """The signed document with the hash of the ledger's entry that says so."""
    if document.signature is None:
        raise BadInput("only a signed report is recorded as signed")
    return document.model_copy(update={"signature": document.signature.model_copy(update={"ledger": entry})})
