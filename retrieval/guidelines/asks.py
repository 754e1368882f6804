"""Questions that a passage answers (`data/asks/*.jsonl`), written by people who saw only the passage."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from retrieval.concepts.lexicon import DATA, Lexicon, language_of, normalise

ASKS = DATA / "asks"


def read_asks(folder: Path = ASKS) -> list[dict[str, Any]]:
    """All rows: `id` of the passage, `lang`, `q` and the `answers` (sentences of the passage)."""
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines() if line]


def rendered(text: str, lexicon: Lexicon) -> str:
    """A question as the dense ranker reads it: Chinese in the lexicon's English, abbreviations with their full names."""
    text = " ".join(normalise(text).split())
    spans = lexicon.find(text, question=True)
    return lexicon.render(text, spans) if language_of(text) == "zh" else with_full_names(text, [name for name, _, _ in spans], lexicon)


def with_full_names(text: str, concepts: Collection[str], lexicon: Lexicon) -> str:
    """The question with the full names of its abbreviations, which the embedder may not know."""
    lower = text.lower()
    full = [name for name in (lexicon.concepts[c].id for c in dict.fromkeys(concepts)) if name not in lower]
    return f"{text} ({', '.join(full)})" if full else text


def asks_of(ids: Collection[str], lexicon: Lexicon) -> Sequence[tuple[str, str]]:
    """Id of the passage and rendered question, of the passages of `ids`: the English ones; the Chinese cost as much again for little."""
    wanted = frozenset(ids)
    return [(row["id"], rendered(row["q"], lexicon)) for row in read_asks() if row["id"] in wanted and row["lang"] == "en"]
