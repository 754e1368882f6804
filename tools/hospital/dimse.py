"""DIMSE: ask (C-FIND), have sent (C-MOVE), send (C-STORE) and listen for what is sent, through `pynetdicom`."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.errors import BadInput, EmptyInput, ToolsError
from tools.hospital.dicomweb import FoundStudy, found_study
from tools.hospital.extra import need
from tools.hospital.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

_ASKED = ("StudyInstanceUID", "StudyDate", "ModalitiesInStudy", "StudyDescription", "NumberOfStudyRelatedInstances", "PatientID")
_PENDING = (0xFF00, 0xFF01)
_SUCCESS = 0x0000
# Statuses of C-STORE (DICOM PS3.4, table B.2-1).
_OUT_OF_RESOURCES = 0xA700
_CANNOT_UNDERSTAND = 0xC000


@dataclass(frozen=True)
class Peer:
    """The other side of an association.

    Attributes:
        host: Its address.
        port: Its port.
        called: Its application entity title.
        calling: Ours.
    """

    host: str
    port: int
    called: str = "ANY-SCP"
    calling: str = "MEDMPT"

    def find(self, filters: dict[str, str], limit: int = 50) -> list[FoundStudy]:
        """Studies that match (study root); see `Archive.find`.

        Raises:
            ToolsError: No association, or the query failed.
        """
        from pydicom.dataset import Dataset

        query = Dataset()
        query.QueryRetrieveLevel = "STUDY"
        for name in _ASKED:
            setattr(query, name, filters.get(name, ""))
        model = need("pynetdicom.sop_class").StudyRootQueryRetrieveInformationModelFind
        found: list[FoundStudy] = []
        with self._association([model]) as association:
            for status, row in association.send_c_find(query, model):
                self._check(status, "C-FIND")
                if status.Status in _PENDING and row is not None and len(found) < limit:
                    found.append(found_study(row))
        return found

    def fetch(self, study_uid: str, inbox: Inbox, port: int, host: str = "127.0.0.1") -> int:
        """Have a study sent to a listener of ours on `port`; the archive must know our title and that address.

        Returns:
            How many instances came.

        Raises:
            EmptyInput: Nothing came.
            ToolsError: No association, or the move failed.
        """
        from pydicom.dataset import Dataset

        query = Dataset()
        query.QueryRetrieveLevel, query.StudyInstanceUID = "STUDY", study_uid
        model = need("pynetdicom.sop_class").StudyRootQueryRetrieveInformationModelMove
        listener = Listener(inbox, title=self.calling, host=host, port=port, allowed=None)
        with listener.running(), self._association([model]) as association:
            for status, _ in association.send_c_move(query, self.calling, model):
                self._check(status, "C-MOVE")
        if not listener.came:
            raise EmptyInput(f"{self.called} sent nothing for study {study_uid!r}")
        return listener.came

    def store(self, datasets: "Sequence[Dataset]") -> int:
        """Send objects; returns how many were taken.

        Raises:
            ToolsError: No association, or one was refused.
        """
        classes, syntaxes = sorted({ds.SOPClassUID for ds in datasets}), [ds.file_meta.TransferSyntaxUID for ds in datasets]
        with self._association(classes, syntaxes) as association:
            for ds in datasets:
                self._check(association.send_c_store(ds), "C-STORE")
        return len(datasets)

    @contextmanager
    def _association(self, classes: Iterable[Any], syntaxes: Iterable[Any] = ()) -> "Iterator[Any]":
        entity = need("pynetdicom").AE(ae_title=self.calling)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = 10
        for sop_class in classes:
            entity.add_requested_context(sop_class, sorted(set(syntaxes)) or None)
        association = entity.associate(self.host, self.port, ae_title=self.called)
        if not association.is_established:
            where = f"{self.called} at {self.host}:{self.port}"
            raise ToolsError(f"no association with {where}: not running, or it does not know {self.calling}")
        try:
            yield association
        finally:
            association.release()

    def _check(self, status: Any, what: str) -> None:
        if not status:
            raise ToolsError(f"{what}: {self.called} at {self.host}:{self.port} did not answer")
        if status.Status not in (*_PENDING, _SUCCESS):
            comment = str(status.get("ErrorComment", "") or "")
            raise ToolsError(f"{what}: {self.called} answered 0x{status.Status:04X} {comment}".rstrip())


@dataclass
class Listener:
    """A storage service that puts what it is sent into an inbox.

    Attributes:
        inbox: Where instances go.
        title: Our application entity title.
        host: Address to listen on; loopback unless told otherwise.
        port: Port.
        allowed: Titles that may send; None for any.
        came: How many instances were sent so far.
    """

    inbox: Inbox
    title: str = "MEDMPT"
    host: str = "127.0.0.1"
    port: int = 11112
    allowed: tuple[str, ...] | None = None
    came: int = 0

    @contextmanager
    def running(self) -> "Iterator[None]":
        """Listen while the context is open.

        Raises:
            ToolsError: The port is taken.
        """
        pynetdicom = need("pynetdicom")
        presentation = need("pynetdicom.presentation")
        entity = pynetdicom.AE(ae_title=self.title)
        entity.require_called_aet = True
        entity.require_calling_aet = list(self.allowed or ())
        entity.maximum_associations = 8
        for context in presentation.StoragePresentationContexts:
            entity.add_supported_context(context.abstract_syntax, pynetdicom.ALL_TRANSFER_SYNTAXES)
        entity.add_supported_context("1.2.840.10008.1.1")  # verification (C-ECHO)
        handlers: list[tuple[Any, Callable[..., int | None]]] = [
            (pynetdicom.evt.EVT_C_STORE, self._stored),
            (pynetdicom.evt.EVT_RELEASED, self._ended),
            (pynetdicom.evt.EVT_ABORTED, self._ended),
        ]
        try:
            server = entity.start_server((self.host, self.port), block=False, evt_handlers=handlers)
        except OSError as error:
            raise ToolsError(f"cannot listen on {self.host}:{self.port}: {error.strerror}") from error
        try:
            yield
        finally:
            server.shutdown()

    def _ended(self, _: Any) -> None:
        """A sender is done: its cases can be opened while this goes on listening."""
        self.inbox.finish()

    def _stored(self, event: Any) -> int:
        self.came += 1
        ds = event.dataset
        ds.file_meta = event.file_meta
        try:
            self.inbox.add(ds)
        except BadInput:
            return _CANNOT_UNDERSTAND
        except OSError:
            return _OUT_OF_RESOURCES
        return _SUCCESS
