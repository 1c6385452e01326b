"""OpenTelemetry traces, from a webhook to the engine's last step. FastAPI itself records the requests.

A message on the broker is only a hint, so what connects two processes is in the rows: an event and an operation keep
the ``traceparent`` (W3C Trace Context) of whoever made them, and whoever carries them out goes on from there.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""OpenTelemetry's own setting (``http://host:4318``); without it nothing is recorded."""

_NAME = "slipway"
_NANOSECONDS = 1_000_000_000
Attributes = Mapping[str, str | int | float | bool]


def configure_tracing(service: str) -> None:
    """Send this process's spans where OpenTelemetry's settings say; called once by a process's entry point.

    After a fork, not before it: the exporter has a thread.
    """
    if not os.environ.get(ENDPOINT):
        return
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def traceparent() -> str | None:
    """Return the current span's ``traceparent``, None where nothing is recorded."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def span(name: str, attributes: Attributes | None = None, *, parent: str | None = None) -> Iterator[Span]:
    """Record a span for the length of a ``with`` block.

    Args:
        name: such as ``operation.apply``; no ids in it.
        attributes: the ids, and whatever else tells this one from others. Never a secret.
        parent: a ``traceparent`` from a row; None goes on from the current span.
    """
    context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
    tracer = trace.get_tracer(_NAME)
    with tracer.start_as_current_span(name, context, attributes=dict(attributes or {})) as started:
        yield started


def past_span(name: str, ended_at: float, seconds: float, attributes: Attributes, *, failed: bool = False) -> None:
    """Record a span below the current one that has ended already.

    Args:
        name: such as ``engine.create``.
        ended_at: seconds since the epoch.
        seconds: how long it took.
        attributes: what tells it from others.
        failed: whether it ended badly.
    """
    end = int(ended_at * _NANOSECONDS)
    started = trace.get_tracer(_NAME).start_span(
        name, attributes=dict(attributes), start_time=end - int(seconds * _NANOSECONDS)
    )
    if failed:
        started.set_status(Status(StatusCode.ERROR))
    started.end(end)


def trace_id() -> str | None:
    """Return the current trace's id as 32 hexadecimal digits, None where nothing is recorded."""
    context = trace.get_current_span().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else None
