"""Tool `search_guidelines`: passages of the guideline index as evidence."""

from pydantic import JsonValue

from retrieval.guidelines.passages import Filters, Hit, SearchResult
from retrieval.messages.catalogue import messages
from tools.deps import Deps
from tools.evidence import Evidence, Language, Payload, ToolResult
from tools.quantities import fill

say = messages("tools.guidelines").say

# More than this never reaches a model (ARCHITECTURE: at most five passages).
MOST = 5
_BUILD = "medmpt index build"


class HitRow(Payload):
    """One passage with its calibrated probability of answering the question."""

    key: str
    text: str
    text_zh: str
    score: float
    source: str
    year: int | None
    locator: str
    superseded_by: str | None
    conflicts: tuple[str, ...]


class HitsData(Payload):
    """What a search found, as `search` prints it; `direct` is False where there are only nearest passages."""

    hits: tuple[HitRow, ...] = ()
    direct: bool | None = None
    unknown: tuple[str, ...] = ()


def search_guidelines(
    deps: Deps,
    query: str,
    k: int = MOST,
    year_from: int | None = None,
    issuer: str | None = None,
    topic: str | None = None,
    current_only: bool = False,
) -> ToolResult:
    """Search the guideline passages by meaning and words.

    Args:
        deps: The index and the language.
        query: Question or keywords, English or Chinese.
        k: How many passages, 1 to 5.
        year_from: Only editions of this year or later.
        issuer: Only this issuer (`BTS`, `ATS/IDSA`, `GOLD`, ...).
        topic: Only this topic of the corpus.
        current_only: Leave superseded editions out.

    Returns:
        Passages as evidence, best first; `partial` when they are only the nearest ones, `empty` with the reason when nothing fits.
    """
    filters = Filters(year_from=year_from, issuer=issuer, topic=topic, current_only=current_only)
    asked: dict[str, JsonValue] = {
        "query": query, "k": k, "year_from": year_from, "issuer": issuer, "topic": topic, "current_only": current_only
    }  # fmt: skip
    if deps.index is None:
        return ToolResult(
            tool="search_guidelines",
            status="unavailable",
            reason=say(deps.language, "the guideline index is not built: run `{command}`", command=_BUILD),
            query=asked,
        )
    if not query.strip():
        return ToolResult(
            tool="search_guidelines", status="empty", reason=say(deps.language, "the query is empty"), query=asked, missing=("query",)
        )
    result = deps.index.search(query, max(1, min(k, MOST)), filters)
    asked["rendered"] = result.rendered
    return ToolResult(
        tool="search_guidelines",
        status="ok" if result.direct else "partial" if result.hits else "empty",
        reason=_reason(result, deps.language),
        query=asked,
        counts=dict(result.counts),
        warnings=tuple(_warning(h) for h in result.hits if h.superseded_by),
        evidence=tuple(_evidence(h) for h in result.hits),
        data=HitsData(hits=tuple(map(_row, result.hits)), direct=result.direct, unknown=tuple(result.unknown)),
    )


def _reason(result: SearchResult, language: Language) -> str | None:
    """Why there is no direct answer, in one language."""
    if result.direct:
        return None
    return result.reason[language == "zh"] if result.reason else say(language, "no passage of the corpus fits")


def _warning(hit: Hit) -> str:
    return f"{hit.passage.key} is from a superseded edition ({hit.passage.guideline.year}); its successor is {hit.superseded_by}"


def _evidence(hit: Hit) -> Evidence:
    p = hit.passage
    return Evidence(
        key=p.key,
        kind=p.kind,
        text=p.text,
        text_zh=p.text_zh,
        source=p.source,
        year=p.guideline.year,
        locator=p.locator,
        quantities=fill((), p.text, p.text_zh),
        subjects=tuple(dict.fromkeys([p.guideline.topic, p.guideline.issuer, *p.tags])),
        population=p.population,
        current=p.guideline.status == "current",
        superseded_by=hit.superseded_by or p.guideline.superseded_by,
        conflicts=hit.conflicts,
    )


def _row(hit: Hit) -> HitRow:
    p = hit.passage
    return HitRow(
        key=p.key,
        text=p.text,
        text_zh=p.text_zh,
        score=hit.score,
        source=p.source,
        year=p.guideline.year,
        locator=p.locator,
        superseded_by=hit.superseded_by or p.guideline.superseded_by,
        conflicts=tuple(hit.conflicts),
    )
