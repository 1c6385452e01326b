"""Logs: one JSON object a line on standard error, with the request's id on every line that belongs to one."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor

from api.tracing import trace_id


def _with_trace(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Add the trace's id, where there is a trace, so that a log line leads to it."""
    current = trace_id()
    return event if current is None else {**event, "trace_id": current}


_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _with_trace,
    structlog.processors.format_exc_info,
)
"""What every record gets. Tracebacks come without local variables, which would carry passwords and tokens."""


def hand_over_to_logging() -> None:
    """Send structlog's records to the standard library, so that there is one stream of them."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def configure_logging(level: str = "INFO") -> None:
    """Render all records, ours and those of uvicorn and SQLAlchemy, as JSON.

    Called once by a process's entry point; the application itself never configures logging.
    """
    hand_over_to_logging()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
