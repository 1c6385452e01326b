"""Logs are one JSON object a line, and keep secrets."""

import json
import subprocess
import sys

_PROGRAM = """
import logging, structlog
from api.logs import configure_logging

configure_logging()
with structlog.contextvars.bound_contextvars(request_id="r-1"):
    structlog.get_logger("slipway").info("ours", status=200)
    logging.getLogger("uvicorn.error").warning("theirs %s", 7)
    try:
        secret = "hunter2"
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger("slipway").exception("failed")
"""


def test_our_lines_and_those_of_libraries_are_json_with_the_requests_id() -> None:
    """One stream for all, on standard error; a traceback is in its line, without local variables."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True)
    ours, theirs, failed = (json.loads(line) for line in done.stderr.splitlines())

    assert (ours["event"], ours["status"], ours["request_id"], ours["level"]) == ("ours", 200, "r-1", "info")
    assert (theirs["event"], theirs["logger"], theirs["request_id"]) == ("theirs 7", "uvicorn.error", "r-1")
    assert "ValueError: broken" in failed["exception"]
    assert "hunter2" not in failed["exception"]
    assert done.stdout == ""
