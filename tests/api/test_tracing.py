"""Traces that cross processes by way of rows."""

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from api.tracing import past_span, span, trace_id, traceparent
from tests.fixtures.traces import Traces


def test_what_a_row_remembers_goes_on_in_another_process(traces: Traces) -> None:
    """The parent comes from the row; a current span does not matter then."""
    with span("first"):
        kept = traceparent()
    with span("somebody else's"), span("second", parent=kept):
        pass
    first, second = traces.named("first"), traces.named("second")
    assert second.parent is not None
    assert first.context is not None
    assert (second.parent.span_id, second.parent.trace_id) == (first.context.span_id, first.context.trace_id)


def test_outside_a_span_there_is_nothing_to_remember(traces: Traces) -> None:
    """And no id for a log line."""
    assert (traceparent(), trace_id(), traces.spans) == (None, None, ())


def test_a_span_that_has_ended_already_keeps_its_times(traces: Traces) -> None:
    """A step of the engine is told when it is over."""
    with span("operation"):
        past_span("engine.create", 1_000.0, 2.5, {"pulumi.type": "t"}, failed=True)
    step = traces.named("engine.create")
    assert (step.start_time, step.end_time) == (997_500_000_000, 1_000_000_000_000)
    assert not step.status.is_ok
    assert traces.path(step) == ["operation", "engine.create"]


_PROGRAM = """
import structlog
from opentelemetry import trace
from api.logs import configure_logging
from api.tracing import configure_tracing, span

configure_logging()
configure_tracing("slipway-test")
with span("work"):
    structlog.get_logger("slipway").info("inside")
trace.get_tracer_provider().shutdown()
"""


class _Collector(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Take spans as an OpenTelemetry collector does."""
        self.server.bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's own name
        """Say nothing."""


def test_spans_go_to_a_collector_and_a_log_line_leads_to_its_trace() -> None:
    """OpenTelemetry's own setting says where; the line has the trace's id."""
    with HTTPServer(("127.0.0.1", 0), _Collector) as collector:
        collector.bodies = []  # type: ignore[attr-defined]
        Thread(target=collector.serve_forever, daemon=True).start()
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}"}
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True, env=environment
        )
        collector.shutdown()
    (line,) = (json.loads(text) for text in done.stderr.splitlines())
    ((path, body),) = collector.bodies  # type: ignore[attr-defined]
    assert path == "/v1/traces"
    assert b"slipway-test" in body
    assert bytes.fromhex(line["trace_id"]) in body


def test_without_the_setting_nothing_is_recorded() -> None:
    """And nothing is sent anywhere."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.replace("trace.get_tracer_provider().shutdown()", "")],
        check=True,
        capture_output=True,
        text=True,
        env={},
    )
    assert "trace_id" not in json.loads(done.stderr)
