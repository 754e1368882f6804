"""For the tumour board: the lesion, and what is usually needed for the decision and not recorded."""

import re
from functools import cache
from typing import Any

from tools.bedside.record.said import clauses
from tools.summary.gather import Gathered
from tools.summary.lesions import asks_lesion, lesions
from tools.summary.record import Pair, SummaryLine, line, table, words


def tumour(g: Gathered) -> list[SummaryLine]:
    """The lesion; that there is none where nothing speaks of one."""
    found, asked = lesions(g), asks_lesion(g)
    if not found:
        if not g.basics.evidence:
            return []
        first = words("nodule_asked") if asked else words("no_tumour")
        return [line(first, "C-presentation" if asked else "C-demographics", level="watch" if asked else "background")]
    if not any(x.evidence[0].startswith("CT-") for x in found) and g.study is not None:
        found.append(line(words("no_lesion_measured"), "C-studies", level="watch"))
    return found


@cache
def _needs() -> tuple[tuple[Pair, re.Pattern[str]], ...]:
    rows: list[dict[str, Any]] = table("audiences")["need"]
    return tuple(((r["en"], r["zh"]), re.compile("|".join(r["words"]), re.IGNORECASE)) for r in rows)


def needed(g: Gathered) -> list[SummaryLine]:
    """What is not recorded anywhere; a text that speaks of it stands as written."""
    texts = [c for w in g.texts for c in clauses(w.text)]
    texts += [*g.case.presentation.findings, g.case.presentation.question or ""]
    if not g.basics.evidence:
        return []
    absent = [name for name, pattern in _needs() if not any(pattern.search(text) for text in texts)]
    return [line((f"{en[:1].upper()}{en[1:]}.", f"{zh}。"), "C-demographics", level="watch") for en, zh in absent]
