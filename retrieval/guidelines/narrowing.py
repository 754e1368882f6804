"""What the filters of a search admit: for a store, for a passage, and in words."""

from dataclasses import asdict

from retrieval.guidelines.passages import Filters, Passage
from retrieval.index.store import Condition


def conditions(filters: Filters) -> list[Condition]:
    """The part of `filters` that a store can apply itself; the rest is applied to its rows."""
    tests: list[Condition] = []
    if filters.year_from is not None:
        tests.append(Condition("year", ">=", filters.year_from))
    if filters.year_to is not None:
        tests.append(Condition("year", "<=", filters.year_to))
    if filters.current_only:
        tests.append(Condition("current", "==", True))
    return tests


def admits(passage: Passage, filters: Filters) -> bool:
    """Whether `passage` passes all of `filters`."""
    g = passage.guideline
    return (
        (filters.year_from is None or g.year >= filters.year_from)
        and (filters.year_to is None or g.year <= filters.year_to)
        and (filters.issuer is None or filters.issuer.strip().lower() in g.issuer.lower())
        and (filters.topic is None or filters.topic.strip().lower().replace(" ", "_") in g.topic.lower())
        and (filters.language is None or passage.language in (None, filters.language))
        and (not filters.current_only or g.status == "current")
    )


def describe(filters: Filters) -> str:
    """The filters that are set, for the reason of an empty result."""
    given = {name: value for name, value in asdict(filters).items() if value not in (None, False)}
    return ", ".join(f"{name}={value!r}" for name, value in given.items())
