"""OpenTelemetry spans of every turn, without contents: names, times, statuses; only where `MEDMPT_OTLP_ENDPOINT` names a collector.

LangChain's own spans come from OpenInference with inputs and outputs hidden; what it still attaches (metadata with the thread, messages of
exceptions) is taken off before a span leaves.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.errors import Unavailable

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

# Attributes that may leave: kinds, names, counts and the settings of a model; everything else is dropped.
_KEPT = ("openinference.span.kind", "tool.name", "llm.token_count", "llm.model_name", "service.", "exception.type")
_lock = threading.Lock()
_started: set[str] = set()


def start(endpoint: str | None) -> None:
    """Send spans to `endpoint` from now on; once for a process. None sends none.

    Raises:
        Unavailable: The packages are not installed.
    """
    if endpoint is None:
        return
    with _lock:
        if endpoint in _started:
            return
        try:
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        except ImportError as missing:
            raise Unavailable("spans need their extra: pip install 'medmpt-assistant[otel]'") from missing
        instrument(OTLPSpanExporter(endpoint=endpoint, insecure=endpoint.startswith("http://")))
        _started.add(endpoint)


def instrument(exporter: "SpanExporter") -> "object":
    """Give every span, bare, to `exporter`; returns the provider."""
    try:
        from openinference.instrumentation import TraceConfig
        from openinference.instrumentation.langchain import LangChainInstrumentor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as missing:
        raise Unavailable("spans need their extra: pip install 'medmpt-assistant[otel]'") from missing
    provider = TracerProvider(resource=Resource.create({"service.name": "medmpt-assistant"}))
    provider.add_span_processor(BatchSpanProcessor(_bare(exporter)))
    hidden = TraceConfig(hide_inputs=True, hide_outputs=True, hide_llm_invocation_parameters=True, hide_prompts=True)
    LangChainInstrumentor().instrument(tracer_provider=provider, config=hidden)
    return provider


def _bare(exporter: "SpanExporter") -> "SpanExporter":
    """An exporter that takes contents off before `exporter` sees a span."""
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.trace.status import Status

    class Bare(SpanExporter):
        def export(self, spans: "Sequence[ReadableSpan]") -> SpanExportResult:
            return exporter.export([bare(s) for s in spans])

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30000) -> bool:
            return exporter.force_flush(timeout_millis)

    def bare(span: "ReadableSpan") -> "ReadableSpan":
        kept = {k: v for k, v in (span.attributes or {}).items() if k.startswith(_KEPT)}
        return ReadableSpan(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=kept,
            kind=span.kind,
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    return Bare()
