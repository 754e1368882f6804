"""`ReportDesk`: drafts, changes, signs and exports the reports of open cases; a session reaches only what is its own."""

import sqlite3
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from agent.audit.ledger import Ledger
from agent.parts import OpenedCase, Parts
from agent.reporting.files import export, page_file
from agent.reporting.graph import Signing, build_signing
from agent.reporting.views import READER, FileView, RemarkView, ReportView, SigningView
from agent.sessions.handles import HeldCase
from agent.sessions.shared import SharedRows
from agent.sessions.store import Store
from agent.settings import Settings
from tools.deps import Deps
from tools.errors import BadInput
from tools.evidence import Evidence, Language
from tools.imaging.marks.mark import Mark
from tools.imaging.marks.store import MarkStore, OwnMarks
from tools.imaging.studies import STUDIES
from tools.reports.document.checking import remarks_on
from tools.reports.document.compose import compose
from tools.reports.document.edit import Edit, addendum_to, apply, insert
from tools.reports.document.marks import mark_words
from tools.reports.document.record import ReportDocument
from tools.reports.document.signing import obstacles
from tools.reports.document.store import ReportStore, Stale
from tools.reports.document.template import template_of
from tools.reports.drafting import draft_report
from tools.summary.page import sheet_of, summarise
from tools.summary.record import Audience, CaseSummary

FILE = "reports.sqlite"


class ReportDesk:
    """The reports of this machine, or of all workers that share a database."""

    def __init__(
        self,
        settings: Settings,
        parts: Parts,
        revealed: Callable[[str, str], HeldCase],
        ledger: Ledger,
        conversations: Store | None = None,
        marks: MarkStore | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            settings: Where things live.
            parts: The engine, for a draft.
            revealed: Case handle and session to the open case, unless it is a teaching case that still waits for a reading.
            ledger: Where signatures are recorded.
            conversations: Where they are kept; reports are there too where several workers share it (`MEDMPT_THREADS_URL`).
            marks: Lesions that sessions have measured: drafts, checks and summaries speak of them.
        """
        self._marks = marks
        self._shared = conversations if settings.threads_url is not None else None
        self._settings, self._parts, self._revealed, self._ledger = settings, parts, revealed, ledger
        self._lock = threading.RLock()

    @cached_property
    def store(self) -> ReportStore:
        """Versions and signatures, in the data folder or the shared database."""
        return ReportStore(SharedRows(self._shared) if self._shared is not None else self._settings.data_dir / FILE)

    @cached_property
    def _saver(self) -> BaseCheckpointSaver[Any]:
        if self._shared is not None:
            return self._shared.saver
        saver = SqliteSaver(sqlite3.connect(self._settings.data_dir / FILE, check_same_thread=False, timeout=30.0))
        saver.setup()
        return saver

    @cached_property
    def _signing(self) -> Signing:
        return build_signing(self.store, self._ledger, self._saver)

    def close(self) -> None:
        """Close the database where it was opened."""
        if isinstance(saver := self.__dict__.get("_saver"), SqliteSaver) and self._shared is None:
            saver.conn.close()
        if "store" in self.__dict__:
            self.store.close()

    def everything(self) -> tuple[ReportDocument, ...]:
        """Newest version of every report on this machine: for export."""
        return self.store.listed() if self._any() else ()

    def signature_of(self, report: str) -> str | None:
        """Digest of the signature that a kept report carries."""
        found = next((d.signature for d in self.everything() if d.id == report), None)
        return found.sha256 if found is not None else None

    def erase(self) -> int:
        """Delete every report and signature on this machine; how many reports there were."""
        if not self._any():
            return 0
        if self._shared is not None:
            for report in self.store.listed():
                self._saver.delete_thread(f"sign-{report.id}")
        return self.store.erase_all()

    def _any(self) -> bool:
        """Whether reports were ever kept: a file is not made to look."""
        return self._shared is not None or (self._settings.data_dir / FILE).exists()

    # Drafting and changing

    def draft(self, case: str, study: str, session: str, language: Language, template: str | None = None, by: str = READER) -> ReportView:
        """A new report of a study, kept at once.

        Raises:
            Forbidden: Another session's case, or a sealed teaching case.
            BadInput: Nothing can be drafted, or no such template.
        """
        held = self._revealed(case, session)
        chosen = template_of(template, language)
        deps = self.deps_for(held.loaded, chosen.language, session)
        document = compose(deps, study, draft_report(deps, study), chosen, by)
        with self._lock:
            self.store.keep(document, session, self._key(held, study))
        return self._view(document, held, session)

    def current(self, case: str, study: str, session: str) -> ReportView | None:
        """The report of a study that this session changed last; None where there is none."""
        held = self._revealed(case, session)
        found = self.store.of_case(session, self._key(held, study), study)
        return self._view(found[0], held, session) if found else None

    def change(self, case: str, report: str, edit: Edit, version: int, session: str, by: str = READER) -> ReportView:
        """Accept, edit, strike, restore or insert.

        Raises:
            Stale: The page shows another version than the one that is kept.
            Signed: The report is signed.
        """
        held = self._revealed(case, session)
        with self._lock:
            document = self._own(report, session, version)
            changed = apply(document, edit, by)
            if changed != document:
                self.store.append(changed)
        return self._view(changed, held, session)

    def mark(self, case: str, report: str, section: str, mark: Mark, version: int, session: str, by: str = READER) -> ReportView:
        """Put a mark of the viewer into the report as a sentence."""
        held = self._revealed(case, session)
        with self._lock:
            document = self._own(report, session, version)
            text, item = mark_words(mark, document.study.study, template_of(document.template, document.language))
            changed = insert(document, section, text, "mark", by, evidence=(item,))
            self.store.append(changed)
        return self._view(changed, held, session)

    def addend(self, case: str, report: str, session: str, by: str = READER) -> ReportView:
        """A new addendum to a signed report."""
        held = self._revealed(case, session)
        document = self.store.load(report, session)
        extra = addendum_to(document, template_of(document.template, document.language), by)
        self.store.keep(extra, session, self._key(held, document.study.study))
        return self._view(extra, held, session)

    # Signing

    def begin(self, case: str, report: str, session: str) -> SigningView:
        """Run the signing graph up to its interrupt: what the person is asked to sign.

        Raises:
            BadInput: The report cannot be signed yet; says why.
        """
        held = self._revealed(case, session)
        document = self.store.load(report, session)
        shown = self.pend(document.id)
        return SigningView(sha256=shown["sha256"], text=shown["text"], remarks=len(self._remarks(document, held, session)))

    def sign(self, case: str, report: str, name: str, sha256: str, session: str) -> ReportView:
        """Resume the signing graph with the name of the person and the digest of what they were shown.

        Raises:
            BadInput: Nothing was begun, the text changed meanwhile, or there is no name.
        """
        held = self._revealed(case, session)
        self.store.load(report, session)
        return self._view(self.resume(report, name, sha256), held, session)

    def pend(self, report: str) -> dict[str, str]:
        """Begin to sign a kept report: the text and digest that the interrupt shows."""
        with self._lock:
            self._saver.delete_thread(f"sign-{report}")
            found: dict[str, Any] = self._signing.invoke({"document": report}, _config(report))
        shown: dict[str, str] = found["__interrupt__"][0].value
        return shown

    def resume(self, report: str, name: str, sha256: str) -> ReportDocument:
        """Sign a report that waits at the interrupt."""
        with self._lock:
            if self._signing.get_state(_config(report)).next != ("person",):
                raise BadInput("nobody was shown this report for signing: begin to sign it first")
            found: dict[str, Any] = self._signing.invoke(Command(resume={"name": name, "sha256": sha256}), _config(report))
            if "__interrupt__" in found:
                raise BadInput(str(found["__interrupt__"][0].value["problem"]))
            self._saver.delete_thread(f"sign-{report}")
        return self.store.load(report)

    # Files

    def file(self, case: str, report: str, form: str, session: str) -> FileView:
        """A report as a file."""
        held = self._revealed(case, session)
        document = self.store.load(report, session)
        return export(document, form, self.store.registered(document), held.loaded.studies.get(document.study.study))

    def source(self, case: str, report: str, key: str, session: str) -> Evidence | None:
        """The evidence behind a sentence of a report."""
        self._revealed(case, session)
        return self.store.load(report, session).cited(key)

    def summary(self, case: str, audience: Audience, session: str) -> CaseSummary:
        """The case on one page."""
        return summarise(self.deps_for(self._revealed(case, session).loaded, "en", session), audience)

    def summary_file(self, case: str, audience: Audience, form: str, session: str, language: Language) -> FileView:
        """The same as a file."""
        page = self.summary(case, audience, session)
        return page_file(sheet_of(page, language), f"summary-{audience}-{page.case_id}", form)

    def _key(self, held: HeldCase, study: str) -> str:
        """What a report belongs to: the images, whatever else was added to the case since; other workers know them by content only."""
        path = _place_of(held, study)
        if self._shared is None:
            return str(path)
        with held.study_lock:
            return STUDIES.open(path).content

    def deps_for(self, loaded: OpenedCase, language: Language, session: str | None = None) -> Deps:
        """What drafting needs of a loaded case, with the lesions that the session has measured."""
        return Deps(
            cache_dir=self._settings.cache_dir,
            case=loaded.case,
            case_dir=loaded.folder,
            studies=loaded.studies,
            language=language,
            engine=self._parts.engine(),
            drugs=self._parts.drugs(),
            marks=self._own_marks(session),
        )

    def _own_marks(self, session: str | None) -> OwnMarks | None:
        return OwnMarks(self._marks, session) if self._marks is not None and session is not None else None

    def _own(self, report: str, session: str, version: int) -> ReportDocument:
        document = self.store.load(report, session)
        if document.version != version:
            raise Stale("the report was changed in another window meanwhile: it was loaded again")
        return document

    def _view(self, document: ReportDocument, held: HeldCase, session: str) -> ReportView:
        zh = document.language == "zh"
        told = obstacles(document).told() if document.signature is None else None
        others = [] if document.signature is None else self.store.listed()
        return ReportView(
            document=document,
            obstacle=None if told is None else told[1 if zh else 0],
            registered=self.store.registered(document),
            remarks=() if document.signature is not None else self._remarks(document, held, session),
            addenda=tuple(d.id for d in others if d.amends is not None and d.amends.id == document.id),
        )

    def _remarks(self, document: ReportDocument, held: HeldCase, session: str) -> tuple[RemarkView, ...]:
        zh = document.language == "zh"
        case = held.loaded
        deps = Deps(
            cache_dir=self._settings.cache_dir,
            case=case.case,
            studies=case.studies,
            language=document.language,
            marks=self._own_marks(session),
        )
        found = remarks_on(document, deps)
        return tuple(
            RemarkView(
                kind=r.remark.kind,
                text=r.remark.text_zh if zh else r.remark.text,
                suggestion=r.remark.suggestion_zh if zh else r.remark.suggestion,
                sentences=r.sentences,
            )
            for r in found
        )


def _place_of(held: HeldCase, study: str) -> Path:
    path: Path | None = held.loaded.studies.get(study)
    if path is None:
        raise BadInput(f"the case has no images of {study!r}; it has: {', '.join(held.loaded.studies) or 'none'}")
    return path


def _config(report: str) -> RunnableConfig:
    return {"configurable": {"thread_id": f"sign-{report}"}}
