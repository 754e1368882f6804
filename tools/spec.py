"""A tool is one record: `ToolSpec`, in a module of its own (`tools/<room>/tool_<name>.py`), from which everything else derives.

Names, schemas, the registry of LangChain tools, the planner's table, what must be opened, and the labels of the page and of progress
come from `specs()`. A new tool is such a module, its data and its test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from importlib import import_module
from operator import or_
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, model_validator

from tools.names import modules

Part = Literal["index", "drugs", "engine"]


class Arguments(BaseModel):
    """Arguments of a tool as a chat model sees them: strict, described; LangChain's injected `runtime` is not an argument."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_runtime(cls, data: Any) -> Any:
        return {k: v for k, v in data.items() if k != "runtime"} if isinstance(data, dict) else data


@dataclass(frozen=True)
class ToolSpec:
    """Everything the house knows of a tool.

    Attributes:
        name: Its name for a model and in every record; the module is `tool_<name>`.
        order: Place in the list a model gets; also the column of the trained reader.
        function: `package.module:function`, imported at the first call. It takes `Deps` and the arguments and returns a `ToolResult`.
        prompt: What a chat model is told of it.
        arguments: Its arguments; None where it takes none.
        results: Types of its payload (`tools.evidence.Payload`) as `package.module:Class`, imported when one is read back; mostly one.
        intent: What a question must ask for so that the planner calls it.
        labels: English and Chinese name for a person (progress, settings, record of a turn).
        needs: What must be opened before it runs; everything else in `Deps` is cheap.
        needs_case: Nothing to say without an open case.
        of_patient: Its answer speaks of the patient: bedside judgements are attached to it.
        of_report: It works on a report: no bedside evidence belongs to it.
    """

    name: str
    order: int
    function: str
    prompt: str
    arguments: type[Arguments] | None
    intent: str
    labels: tuple[str, str]
    needs: tuple[Part, ...] = ()
    needs_case: bool = False
    of_patient: bool = False
    of_report: bool = False
    results: tuple[str, ...] = ()

    def load(self) -> Callable[..., Any]:
        """The function itself."""
        function: Callable[..., Any] = _named(self.function)
        return function

    def payload(self, record: dict[str, Any]) -> BaseModel:
        """A payload of this tool out of its JSON.

        Raises:
            ValueError: The tool has no payload, or the record is none.
        """
        if not self.results:
            raise ValueError(f"{self.name} has no payload, but a record holds {', '.join(record)}")
        found: BaseModel = _reader(self.results).validate_python(record)
        return found

    def payload_schema(self) -> dict[str, Any]:
        """JSON schema of the payload; one that nothing meets where the tool has none."""
        return _reader(self.results).json_schema(mode="serialization") if self.results else {"not": {}}


def _named(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)


@cache
def _reader(paths: tuple[str, ...]) -> TypeAdapter[Any]:
    return TypeAdapter(reduce(or_, map(_named, paths)))


@cache
def specs() -> Mapping[str, ToolSpec]:
    """All tools by name, in their order.

    Raises:
        ValueError: A module without `SPEC`, or one whose record bears another name.
    """
    found = []
    for name, module in modules().items():
        spec = getattr(import_module(module), "SPEC", None)
        if not isinstance(spec, ToolSpec) or spec.name != name:
            raise ValueError(f"{module} holds no `SPEC` of a tool named {name!r}")
        found.append(spec)
    return {s.name: s for s in sorted(found, key=lambda s: (s.order, s.name))}
