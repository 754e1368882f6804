"""Many questions from a file: each row in a thread of its own, or in the conversation and on the case that it names."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.answering.answer import Answer
from agent.errors import AgentError, BadInput
from medmpt_backend.errors import BackendError
from retrieval.errors import RetrievalError
from tools.errors import ToolsError
from tools.evidence import Language

if TYPE_CHECKING:
    from agent.assistant import Assistant

_ROOM_ERRORS = (AgentError, ToolsError, RetrievalError, BackendError)


@dataclass(frozen=True)
class Row:
    """One line of a batch.

    Attributes:
        id: Given back with the answer.
        question: What is asked; empty where `problem` says why.
        case: What `--case` takes; None for that of the command.
        thread: Rows with the same name continue one conversation, in order.
        problem: Why the line cannot be asked.
    """

    id: str | None = None
    question: str = ""
    case: str | None = None
    thread: str | None = None
    problem: str | None = None


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a JSONL file; a line that cannot be asked says why.

    Raises:
        BadInput: There is no such file.
    """
    if not path.is_file():
        raise BadInput(f"no such file: {path.name!r}; --batch takes a JSONL file")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            yield _row(line, number)


def _row(line: str, number: int) -> Row:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as wrong:
        return Row(problem=f"line {number} is not JSON: {wrong.msg}")
    if not isinstance(row, dict):
        return Row(problem=f"line {number} is not an object: each line is an object with the field question")
    ident = str(row["id"]) if row.get("id") is not None else None
    for name in ("case", "thread"):
        if row.get(name) is not None and not isinstance(row[name], str):
            return Row(ident, problem=f"line {number}: {name} is a text, got {row[name]!r}")
    question = row.get("question")
    if not isinstance(question, str) or not question.strip():
        return Row(ident, problem=f"line {number} has no question: each line is an object with the field question")
    return Row(ident, question, row.get("case"), row.get("thread"))


class Batch:
    """Asks rows of one session; cases are opened once, named threads are continued."""

    def __init__(self, assistant: "Assistant", session: str, case: str | None = None, beside: Path | None = None) -> None:
        """`case` is the handle of rows that name none; a row's relative path may be `beside` the file."""
        self._assistant = assistant
        self._session = session
        self._case = case
        self._beside = beside
        self._handles: dict[str, str] = {}
        self._threads: dict[str, str] = {}

    def answer(self, row: Row, language: Language | None = None) -> Answer:
        """The row's answer; an error of the same id where it cannot be given."""
        if row.problem:
            return self._failed(row, row.problem, language)
        try:
            case = self._handle(row.case) if row.case else self._case
            thread = self._thread(row.thread)
            return ask_one(self._assistant, row.question, thread, case, self._session, language).model_copy(update={"id": row.id})
        except _ROOM_ERRORS as failure:
            return self._failed(row, str(failure), language)

    def _handle(self, case: str) -> str:
        if case not in self._handles:
            near = self._beside / case if self._beside is not None else None
            source = str(near) if near is not None and near.exists() else case
            self._handles[case] = self._assistant.open_case(source, session=self._session).handle
        return self._handles[case]

    def _thread(self, name: str | None) -> str:
        if name is None:
            return self._assistant.new_thread(self._session)
        if name not in self._threads:
            self._threads[name] = self._assistant.new_thread(self._session)
        return self._threads[name]

    def _failed(self, row: Row, reason: str, language: Language | None) -> Answer:
        return Answer(
            status="error",
            reason=reason,
            id=row.id,
            question=row.question,
            language=language or "en",
            answer="",
            model="none",
            thread=self._threads.get(row.thread or "", ""),
        )


def ask_one(assistant: "Assistant", question: str, thread: str | None, case: str | None, session: str, language: Language | None) -> Answer:
    """One question in its thread (a new one for None)."""
    last: Answer | None = None
    place = thread or assistant.new_thread(session)
    for event in assistant.ask(question, thread=place, case=case, session=session, language=language):
        if event.type == "done":
            last = event.answer
    if last is None:
        raise AgentError("the turn ended without an answer; run medmpt doctor")
    return last
