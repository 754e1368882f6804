"""What a sentence says *about* a finding: denied, uncertain, of a relative, past, or only supposed; English and Chinese.

`statuses(text, start, end)` reads one mention, `sentences` and `clauses` split a text into spans. Rules are data
(`retrieval/data/context/*.toml`); the method is ConText (Harkema 2009): cues with a direction, and words that end their reach.
"""

from retrieval.concepts.context.cues import Status
from retrieval.concepts.context.scope import affirmed, denies, statuses
from retrieval.concepts.context.spans import Span, clauses, sentences

__all__ = ["Span", "Status", "affirmed", "clauses", "denies", "sentences", "statuses"]
