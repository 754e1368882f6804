"""A bedside criterion as a tool result, asked for by its name (`calculate_score(name="niv_copd")`)."""

from retrieval.drugs.graph import DrugGraph
from retrieval.messages.catalogue import messages
from tools.bedside.judging import judge
from tools.bedside.record.view import Record
from tools.bedside.topics import topics
from tools.deps import Deps
from tools.evidence import ToolResult
from tools.scores.payload import CriterionData

say = messages("tools.bedside").say


def criterion(deps: Deps, name: str) -> ToolResult | None:
    """Apply the criterion of that name; None when there is none of that name."""
    topic = topics().get(name.strip().casefold().replace("-", "_").replace(" ", "_"))
    if topic is None:
        return None
    if deps.case is None:
        return ToolResult(
            tool="calculate_score",
            status="empty",
            reason=say(deps.language, "{topic} needs an open case", topic=topic.title),
            missing=("case",),
        )
    found = judge(topic, Record(deps.case, deps.drugs or DrugGraph.load(), deps.question))
    reason = None if found else say(deps.language, "{topic} does not apply to this record", topic=topic.title)
    return ToolResult(
        tool="calculate_score",
        status="ok" if found else "empty",
        reason=reason,
        query={"name": topic.id},
        counts={"statements": len(found)},
        evidence=tuple(found),
        data=CriterionData(name=topic.id, source=topic.source, year=topic.year),
    )
