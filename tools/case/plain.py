"""Fields of a record without what is no part of a record: markup, orders to a reader, advice where a name should stand.

The fields of `tools.case.record` are annotated with these, so that whatever makes a `Case` passes through here: text planted in the name of
a condition, drug, analyte or unit reaches neither a tool nor an answer.
"""

from typing import Annotated

from pydantic import AfterValidator, JsonValue

from retrieval.documents.orders import finding_only, name_only, orders, term_only, without_orders


def name_of(text: str) -> str:
    """A name of the vocabulary as it stands, else what is a name of the text."""
    plain = name_only(text)
    return text if plain != text and _drug(text) else plain


def term_of(text: str) -> str:
    """An analyte or unit of the vocabulary as it stands, else the term that the text begins with."""
    plain = term_only(text)
    return text if plain != text and not orders(text) and _known(text) else plain


def _drug(text: str) -> bool:
    from retrieval.drugs.graph import DrugGraph

    return text.strip().casefold() in {n.casefold() for d in DrugGraph.load().drugs() for n in (d.name, *d.synonyms)}


def _known(text: str) -> bool:
    from tools.labs.analytes import find_analyte
    from tools.labs.units import parse_unit

    return find_analyte(text) is not None or parse_unit(text) is not None


def cut_fields(raw: JsonValue, kept: JsonValue, place: str = "") -> list[str]:
    """Places of a record where text was left out when it was read, by name."""
    if isinstance(raw, dict) and isinstance(kept, dict):
        return [f for k, v in raw.items() if k in kept for f in cut_fields(v, kept[k], f"{place}.{k}" if place else k)]
    if isinstance(raw, list) and isinstance(kept, list):
        return [f for i, (a, b) in enumerate(zip(raw, kept, strict=False)) for f in cut_fields(a, b, f"{place}[{i}]")]
    return [place] if isinstance(raw, str) and isinstance(kept, str) and raw.strip() != kept.strip() else []


Name = Annotated[str, AfterValidator(name_of)]
Term = Annotated[str, AfterValidator(term_of)]
Finding = Annotated[str, AfterValidator(finding_only)]
FreeText = Annotated[str, AfterValidator(without_orders)]
