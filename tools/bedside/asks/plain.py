"""A question with the short names of medicines written out: `clarithro`, `pred`, `MTX`, `the nebs`."""

import re
from functools import cache

from retrieval.concepts.shorthand import glossed
from retrieval.drugs.graph import DrugGraph
from retrieval.messages.patterns import patterns
from tools.bedside.asks.part import concepts as named_parts
from tools.bedside.asks.subject import rows, values_named
from tools.bedside.record.view import Record

_WORDS = patterns("tools.bedside")

_WORD = re.compile(r"(?<![A-Za-z-])[A-Za-z][A-Za-z-]{2,}(?![A-Za-z])")
_SHORTEST = 5
_NEBS, _STEROID = _WORDS.regex("nebuliser"), _WORDS.regex("steroid")
_BRONCHODILATORS = "@saba;@sama"


def plain(record: Record) -> str:
    """The question with names of medicines that the drug graph knows.

    A beginning of at least five letters counts where one drug (of those taken, else of all) begins with it; `the nebs` and `the steroids`
    are those that the record lists.
    """
    question = glossed(_WORD.sub(lambda m: _written_out(m[0], record), record.question))
    for pattern, group in ((_NEBS, _BRONCHODILATORS), (_STEROID, "@systemic_corticosteroids")):
        taken = record.taken(group)
        if taken and pattern.search(question):
            names = [record.graph.name(d) for d in taken]
            joined = "、".join(n.zh for n in names) if re.search(r"[\u4e00-\u9fff]", question) else ", ".join(n.en for n in names)
            question = _with(question, pattern, joined)
    return question


def _with(question: str, pattern: re.Pattern[str], names: str) -> str:
    """The question with names in brackets behind the word that stands for them."""
    return pattern.sub(lambda m: f"{m[0]} ({names})", question, count=1)


def short_names(question: str) -> list[str]:
    """Words of a question that are short names of medicines."""
    short = {k.casefold() for k in rows("asks")["short"]}
    found = [w for w in _WORD.findall(question) if w.casefold() in short]
    graph = DrugGraph.load()
    return found + [w for w in _WORD.findall(question) if len(w) > _SHORTEST and len(_beginning(graph, w.casefold())) == 1]


def _written_out(word: str, record: Record) -> str:
    folded = word.casefold()
    known = record.graph.mentions(word)
    if known:
        return _beside(word, known[0].name) if len(known) == 1 else word
    short = {k.casefold(): v for k, v in rows("asks")["short"].items()}
    if folded in short:
        mine = [d.name for d in record.patient.current if folded == "pred" and d.id.startswith("predni")]
        return mine[0] if mine else record.graph.name(short[folded]).en
    mine = rows("asks")["short_if_taken"].get(folded)
    if mine is not None and any(d.id == mine for d in record.patient.current):
        return record.graph.name(mine).en
    if len(folded) < _SHORTEST or values_named(word) or named_parts(word) or record.graph.scan(word):
        return word
    taken = [d.name for d in record.patient.current if d.name.casefold().startswith(folded)]
    found = taken or list(_beginning(record.graph, folded))
    return found[0] if len(found) == 1 else word


def _beside(word: str, name: str) -> str:
    """A shortened name with the whole one behind it, so that rows find it by either."""
    same = name.casefold().startswith(word.casefold()[:4])
    return f"{word} ({name})" if same and len(word) < len(name) and word.isascii() and " " not in name else word


@cache
def _beginning(graph: DrugGraph, start: str) -> tuple[str, ...]:
    """Names that begin so; a part of a combination is another drug than the combination."""
    found = [d.name for d in graph.drugs() if d.name.casefold().startswith(start)]
    return tuple(n for n in found if n[len(start) : len(start) + 1].isalpha())
