"""What a question about a patient may raise, as data: criteria and advice (`data/criteria`), with words, items, verdicts and source."""

import re
import tomllib
from functools import cache, cached_property
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from tools.bedside.record.vocabulary import pattern_of
from tools.evidence import ToolName

# What was written beside a word of the question: it must not part the words that a topic asks for.
_GLOSS = re.compile(r" ?\([^)]*\)(?= )|(?<= )\([^)]*\) ?")


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Item(_Row):
    """One criterion of a list: `test` gives met, not met or unknown; the texts say it with the record's value."""

    key: str
    test: str
    en: str
    zh: str
    group: str = ""


class Sentence(_Row):
    """A sentence that is said when `test` holds (an empty test always does)."""

    test: str = ""
    en: str
    zh: str


class Topic(_Row):
    """One thing to decide at the bedside.

    Attributes:
        id: Stable name; criteria can be asked for by it.
        tool: The tool that answers it.
        ask: Groups of words; every group must be met by the question.
        never: Words that rule the topic out.
        test: Record condition; a topic whose test fails is skipped.
        title: Name in English and Chinese.
        source: Issuer and title; `year` and `passage` (key of the corpus) where there is one.
        verdict: The first whose test holds is the bottom line.
        item: Criteria that are counted (`met`, `open`, by group `met_major`).
        note: What stands below the bottom line.
        rank: Topics of a higher rank come first; a topic of rank 0 is silent beside another.
        aside: Whether it may stand below the answer to another question; not where it is about another lesion or would reassure alone.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    tool: ToolName = "search_guidelines"
    ask: tuple[tuple[str, ...], ...] = ()
    never: tuple[str, ...] = ()
    test: str = ""
    title: tuple[str, str]
    source: str
    year: int | None = None
    passage: str | None = None
    item: tuple[Item, ...] = ()
    verdict: tuple[Sentence, ...]
    note: tuple[Sentence, ...] = ()
    rank: int = 5
    aside: bool = True

    @cached_property
    def groups(self) -> tuple[re.Pattern[str], ...]:
        """Patterns of the groups of words."""
        return tuple(pattern_of(group) for group in self.ask)

    @cached_property
    def ruled_out(self) -> re.Pattern[str] | None:
        """Pattern of the words that rule it out."""
        return pattern_of(self.never) if self.never else None

    def asked(self, question: str) -> bool:
        """Whether the question raises this topic."""
        if not self.groups or (self.ruled_out is not None and self.ruled_out.search(question)):
            return False
        return all(group.search(question) for group in self.groups)


@cache
def topics() -> dict[str, Topic]:
    """All topics by id, in the order of their files."""
    folder = files("tools") / "data" / "criteria"
    found: dict[str, Topic] = {}
    for file in sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name):
        for row in tomllib.loads(file.read_text(encoding="utf-8")).get("topic", []):
            topic = Topic.model_validate(row)
            if topic.id in found:
                raise ValueError(f"{file.name}: topic {topic.id!r} stands twice")
            found[topic.id] = topic
    return found


def asked(question: str) -> tuple[Topic, ...]:
    """Topics that a question raises by its words, most specific first; the case may still rule them out."""
    bare = _GLOSS.sub("", question)
    raised = [t for t in topics().values() if t.asked(question) or (bare != question and t.asked(bare))]
    return tuple(sorted(raised, key=lambda t: -t.rank))
