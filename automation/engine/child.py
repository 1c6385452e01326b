"""An engine child, from the fork to its end."""

import logging
import os
import resource
import socket
import sys
from dataclasses import asdict
from json import dumps
from pathlib import Path

from automation.engine.actions import perform
from automation.engine.process import become_subreaper, identify
from automation.engine.rundir import RunDirectory
from automation.engine.supervision import Supervisor
from automation.engine.wire import GO, Request, read_line


def main(connection: socket.socket) -> int:
    """Serve one request; returns the exit code.

    The order matters: the identity is on disk and with the caller before anything happens, and nothing happens until
    the caller says so.
    """
    line = read_line(connection)
    if not line:
        return 0
    request = Request.decode(line)
    directory = RunDirectory(request.directory)
    _settle(request)
    supervisor = Supervisor(request.job.deadline_seconds, request.limits.grace_seconds)
    supervisor.install()
    process = identify(os.getpid())
    directory.write_process(process)
    connection.sendall(dumps(asdict(process)).encode() + b"\n")
    if read_line(connection) != GO:
        return 0
    connection.close()
    directory.write_result(perform(request, supervisor))
    return 0


def _settle(request: Request) -> None:
    """Become a session of its own, with the request's environment, directory and limits and nobody else's."""
    os.setsid()
    become_subreaper()
    os.umask(0o077)
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.directory)
    _redirect(request.directory / "engine.log")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the secrets
    resource.setrlimit(resource.RLIMIT_DATA, (request.limits.memory_bytes, request.limits.memory_bytes))


def _redirect(log: Path) -> None:
    """Send what anything here prints into a file, and read nothing."""
    null = os.open(os.devnull, os.O_RDONLY)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(null, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(null)
    os.close(file)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, force=True)
