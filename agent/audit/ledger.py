"""What the ledger says of a turn: hashes of question, answer, claims, evidence and tool calls, and the versions that made them; and of a
signature: which report, the digest that was signed, and a hash of the name.

It repeats no content: the answer itself stands in the turn log, and its hash here shows whether it is still the one that was given.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

from agent.answering.answer import Answer
from agent.audit.chain import Chain, Entry, Fault
from agent.audit.versions import versions
from agent.errors import BadInput
from agent.sessions.store import Store
from tools.evidence import ToolResult
from tools.reports.document.record import ReportDocument

# What differs between two runs that say the same.
_VOLATILE = {"seconds", "thread", "id"}


def canonical(answer: Answer) -> bytes:
    """The answer as bytes that two equal runs share: sorted fields, no times, no thread."""
    record = answer.model_dump(mode="json", exclude=_VOLATILE)
    for call in record["tool_calls"]:
        call.pop("seconds", None)
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def short(value: Any) -> str:
    """Eight bytes of a digest: they point at what differs; the whole answer has a full one."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Ledger:
    """Writes turns and tool calls into the chain."""

    def __init__(self, store: Store, weights: str | None = None) -> None:
        """`weights`: name of the weights of the settings."""
        self._chain, self._weights = Chain(store), weights

    @property
    def chain(self) -> Chain:
        """The log itself."""
        return self._chain

    def turn(self, answer: Answer, n: int, patient: str | None, case: str | None) -> Entry:
        """Record a finished turn.

        Args:
            answer: As it was stored.
            n: Which turn of its thread.
            patient: Digest of the case as it was; None without one.
            case: Name of a synthetic case, which can be opened again; None for one of a person.
        """
        body = {
            "n": n,
            "question": short(answer.question),
            "answer": hashlib.sha256(canonical(answer)).hexdigest(),
            "status": answer.status,
            "model": answer.model,
            "claims": [[short(c.text), list(c.evidence), c.support] for c in answer.claims],
            "evidence": {e.key: short(e.model_dump(mode="json")) for e in answer.evidence},
            "tools": [[c.name, short(c.args), c.status] for c in answer.tool_calls],
            "versions": versions(self._weights),
            **{k: v for k, v in (("patient", patient), ("case", case)) if v},
        }
        return self._chain.append("turn", body, answer.thread)

    def tool(self, result: ToolResult, args: dict[str, Any], patient: str | None) -> Entry:
        """Record a tool call of a foreign agent."""
        body = {
            "tools": [[result.tool, short(args), result.status]],
            "evidence": {e.key: short(e.model_dump(mode="json")) for e in result.evidence},
            "versions": versions(self._weights),
            **({"patient": patient} if patient else {}),
        }
        return self._chain.append("tool", body)

    def signature(self, document: ReportDocument) -> Entry:
        """Record that a report was signed, before the signature counts."""
        if document.signature is None:
            raise BadInput("only a signed report is recorded as signed")
        body = {
            "report": document.id,
            "version": document.version,
            "signed": document.signature.sha256,
            "signer": short(document.signature.name),
            "study": short(document.study.model_dump(mode="json")),
            "versions": versions(self._weights),
        }
        return self._chain.append("sign", body)

    def forget(self, threads: Iterable[str], everything: bool) -> None:
        """Take out what was recorded of erased conversations; with `everything` also tool calls and signatures, which belong to none."""
        self._chain.forget(None if everything else list(threads))

    def verify(self, answers: Any, signed: Callable[[str], str | None] | None = None) -> tuple[list[Fault], int, str]:
        """Faults of the chain, and what is stored but is not what was recorded.

        Args:
            answers: Thread to its stored answers.
            signed: Report to the digest of its signature as it is stored; without it signatures are not compared.
        """
        faults, count, head = self._chain.verify()
        faults += self._unlike(signed) if signed is not None else []
        stored: dict[str, list[Any]] = {}
        for entry in self._chain.entries():
            if entry.kind != "turn" or entry.body is None or entry.thread is None:
                continue
            kept = stored.setdefault(entry.thread, answers(entry.thread))
            n = int(entry.body["n"])
            if n > len(kept):
                faults.append(Fault(entry.seq, f"turn {n} of its conversation is not stored any more"))
            elif hashlib.sha256(canonical(Answer.model_validate(kept[n - 1]))).hexdigest() != entry.body["answer"]:
                faults.append(Fault(entry.seq, f"the stored answer of turn {n} is not the one that was given"))
        return faults, count, head

    def _unlike(self, signed: Callable[[str], str | None]) -> list[Fault]:
        """Signatures whose report is gone or carries another one."""
        entries = (e for e in self._chain.entries() if e.kind == "sign" and e.body is not None)
        return [
            Fault(e.seq, f"the signature of report {e.body['report']} is not the one that was made")
            for e in entries
            if e.body is not None and signed(str(e.body["report"])) != e.body["signed"]
        ]
