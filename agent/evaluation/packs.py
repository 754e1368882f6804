"""How well the house serves a pack: its messages reach their tools, its asks find their passages, its questions get their facts."""

import json
from pathlib import Path
from typing import Any

from agent.assistant import Assistant
from agent.errors import BadInput
from agent.reading.plan import make_plan
from agent.resources import House
from agent.settings import Settings
from agent.turn.batch import ask_one
from agent.turn.prompts import CaseCard

_SESSION = "pack-check"


def measured(settings: Settings, folder: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Counts by kind, and everything that was not served.

    Raises:
        BadInput: A row of the pack is not an object with the fields it needs.
    """
    messages, asks, questions = (_rows(folder, name) for name in ("utterances", "asks", "questions.jsonl"))
    missed: list[str] = []
    routed = sum(_routed(row, missed) for row in messages)
    assistant = Assistant(settings, House(settings))
    try:
        found = sum(_found(assistant, row, missed) for row in asks)
        answered = sum(_answered(assistant, row, missed) for row in questions)
    finally:
        assistant.erase(assistant.threads(_SESSION))
        assistant.close()
    figures = {
        "messages_reach_their_tools": {"value": routed, "n": len(messages)},
        "asks_find_their_passage": {"value": found, "n": len(asks)},
        "questions_hold_their_facts": {"value": answered, "n": len(questions)},
    }
    return figures, tuple(missed)


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    place = folder / name
    files = sorted(place.glob("*.jsonl")) if place.is_dir() else [place] if place.is_file() else []
    try:
        return [dict(json.loads(line)) for f in files for line in f.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (json.JSONDecodeError, UnicodeDecodeError, TypeError, ValueError) as wrong:
        raise BadInput(f"{name} of the pack: {wrong}") from wrong


def _field(row: dict[str, Any], name: str) -> Any:
    if name not in row:
        raise BadInput(f"a row of the pack has no field {name!r}: {str(row)[:120]}")
    return row[name]


def _routed(row: dict[str, Any], missed: list[str]) -> bool:
    """Whether the plan calls every tool that the row names, and none but those it allows."""
    card = CaseCard() if row.get("case") else None
    called = {name for name, _ in make_plan(str(_field(row, "q")), card, [], "").calls}
    wanted = set(_field(row, "tools"))
    fits = wanted <= called <= wanted | set(row.get("alt", ()))
    if not fits:
        missed.append(f"{row['q']}: tools {sorted(called)}, wanted {sorted(wanted)}")
    return fits


def _found(assistant: Assistant, row: dict[str, Any], missed: list[str]) -> bool:
    from retrieval.guidelines.corpus import passage_key

    result = assistant.run_tool("search_guidelines", {"query": str(_field(row, "q"))}, case=None, session=_SESSION, language=row["lang"])
    fits = passage_key(str(_field(row, "id"))) in {e.key for e in result.evidence}
    if not fits:
        missed.append(f"{row['q']}: {row['id']} is not among the five found")
    return fits


def _answered(assistant: Assistant, row: dict[str, Any], missed: list[str]) -> bool:
    """Whether the answer holds one spelling of every fact."""
    said = ask_one(assistant, str(_field(row, "q")), None, None, _SESSION, None).answer.lower()
    absent = [group[0] for group in _field(row, "facts") if not any(str(f).lower() in said for f in group)]
    if absent:
        missed.append(f"{row['q']}: the answer lacks {', '.join(absent)}")
    return not absent
