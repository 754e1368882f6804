"""The tools as LangChain tools: strict arguments, `Deps` through the runtime, typed records as artifact; made from their `ToolSpec`.

Expected failures come back as a `ToolResult` with their status; a bug rises.
"""

from collections.abc import Callable
from typing import Any

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, StructuredTool

from retrieval.errors import RetrievalError
from tools.bedside.told import told
from tools.deps import Deps
from tools.errors import ToolsError
from tools.evidence import ToolResult
from tools.spec import ToolSpec, specs
from tools.wording import localised_result

Answer = tuple[str, dict[str, Any]]
Runtime = ToolRuntime[Deps]


def answer(spec: ToolSpec, runtime: Runtime, arguments: dict[str, Any]) -> Answer:
    """Run a tool; text for the model and the same as a record."""
    deps: Deps = runtime.context
    try:
        result: ToolResult = spec.load()(deps, **arguments)
    except (ToolsError, RetrievalError) as error:
        result = ToolResult(tool=spec.name, status=error.status, reason=str(error))
    if deps.case is not None or any(map(told, deps.asked)):
        from tools.bedside.attach import attach  # opens the drug tables, which no start-up needs

        result = attach(result, deps)
    result = localised_result(result, deps.language)
    return result.for_model(deps.language), result.model_dump(mode="json")


def langchain_tool(spec: ToolSpec) -> BaseTool:
    """The tool of a record; its prompt is the record's."""
    run: Callable[..., Answer]
    if spec.arguments is None:

        def run(runtime: Runtime) -> Answer:
            return answer(spec, runtime, {})

    else:

        def run(runtime: Runtime, **arguments: Any) -> Answer:
            return answer(spec, runtime, arguments)

    # LangChain hands no runtime to a tool whose own schema is empty: that one is inferred from the function.
    return StructuredTool.from_function(
        run,
        name=spec.name,
        description=spec.prompt,
        args_schema=spec.arguments,
        infer_schema=spec.arguments is None,
        response_format="content_and_artifact",
    )


TOOLS: tuple[BaseTool, ...] = tuple(langchain_tool(spec) for spec in specs().values())
