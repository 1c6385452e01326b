"""The Python language host: runs a program for ``pulumi preview`` or ``up`` typed by hand, and policy packs.

Served only where the official CLI, which brings its own host, is not installed. Programs run in this process, with
this interpreter: a ``virtualenv`` or ``toolchain`` option of ``Pulumi.yaml`` is answered with a notice, not followed.
The service is ``LanguageRuntime`` of Pulumi's ``language.proto``; the part that runs a program is the SDK's own.
"""

import importlib.metadata
import os
import queue
import runpy
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import IO, Any

import grpc
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer
from pulumi.runtime import settings
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from automation.toolchain.parts import LANGUAGE_HOST
from automation.toolchain.plugins.serving import serve_until_stopped

_MAX_MESSAGE_BYTES = 400 * 1024 * 1024  # as the SDK and the engine set it
_CHANNEL_OPTIONS = (("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),)
_KILL_SECONDS = 5.0


class LanguageHost(LanguageServer):
    """Runs the program that each request names.

    Args:
        engine_address: where the engine listens for log messages.
    """

    def __init__(self, engine_address: str) -> None:
        super().__init__(program=lambda: None)
        self._engine_address = engine_address
        self._stopping = threading.Event()

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Take note of the engine's address."""
        del context
        self._engine_address = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Say which version of the host this is."""
        del request, context
        return plugin_pb2.PluginInfo(version=LANGUAGE_HOST.version)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Stop the plugins that were started; the engine ends this process itself."""
        del request, context
        self._stopping.set()
        return empty_pb2.Empty()

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- the protocol's name
        """Run the program to its end and report its error, if any."""
        self.program = lambda: _run_program(request.info, request.pwd, list(request.args))
        forwarded = language_pb2.RunRequest()
        forwarded.CopyFrom(request)
        del forwarded.args[:]
        # The SDK's server takes the engine's address for the first argument, as the Automation API sends it.
        forwarded.args.append(self._engine_address)
        return super().Run(forwarded, context)  # type: ignore[no-untyped-call]  # the SDK's server has no types

    def GetProgramDependencies(  # noqa: N802 -- the protocol's name
        self, request: Any, context: grpc.ServicerContext
    ) -> Any:
        """What is installed beside the program, for ``pulumi about``."""
        del request, context
        installed = sorted({(item.name, item.version) for item in importlib.metadata.distributions()})
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=name, version=version) for name, version in installed]
        )

    def InstallDependencies(  # noqa: N802 -- the protocol's name
        self, request: Any, context: grpc.ServicerContext
    ) -> Iterator[Any]:
        """Nothing to install: the interpreter's own packages are used."""
        del request, context
        message = f"Nothing installed: programs run with {sys.executable}, whose packages are used as they are.\n"
        yield language_pb2.InstallDependenciesResponse(stdout=message.encode())

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802 -- as above
        """Run a policy pack or a provider written in Python, passing on what it prints, until the engine hangs up."""
        program = request.info.program_directory or request.program
        command = [sys.executable, "-u"]
        if request.kind == "analyzer":
            command += ["-m", "pulumi.policy", *request.args, program]
        else:
            command += [program, *request.args]
        environment = dict(item.split("=", 1) for item in request.env if "=" in item)
        with subprocess.Popen(
            command,
            cwd=request.pwd or program,
            env=environment or None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            # The engine ends a plugin by cancelling this very call.
            context.add_callback(lambda: _stop(process))
            threading.Thread(target=self._stop_when_cancelled, args=(process,), daemon=True).start()
            yield from _output_of(process)
            yield language_pb2.RunPluginResponse(exitcode=process.wait())

    def _stop_when_cancelled(self, process: subprocess.Popen[bytes]) -> None:
        self._stopping.wait()
        _stop(process)


def _run_program(info: Any, working_directory: str, arguments: list[str]) -> None:
    """Run ``__main__.py`` of the program's folder, or the named entry point, as Python itself would."""
    options = dict(info.options)
    ignored = [name for name in ("virtualenv", "toolchain") if name in options]
    if ignored:
        sys.stderr.write(f"Pulumi.yaml sets {', '.join(ignored)}; programs run with {sys.executable} instead.\n")
    entry = Path(info.program_directory, info.entry_point)
    folder = entry if entry.is_dir() else entry.parent
    sys.path.insert(0, str(folder))
    sys.argv = [str(entry), *arguments]
    os.chdir(working_directory)
    # The official host passes it on the command line of the program's own process.
    settings.SETTINGS.root_directory = info.root_directory
    runpy.run_path(str(entry), run_name="__main__")


def _output_of(process: subprocess.Popen[bytes]) -> Iterator[Any]:
    """What the process writes, as it comes, until it has closed both streams."""
    responses: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def read(name: str, stream: IO[bytes]) -> None:
        for line in stream:
            response = language_pb2.RunPluginResponse()
            setattr(response, name, line)
            responses.put(response)
        responses.put(None)

    streams = {"stdout": process.stdout, "stderr": process.stderr}
    for name, stream in streams.items():
        if stream is not None:
            threading.Thread(target=read, args=(name, stream), daemon=True).start()
    ended = 0
    while ended < len(streams):
        response = responses.get()
        if response is None:
            ended += 1
        else:
            yield response


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, then make it."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_KILL_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def serve(engine_address: str) -> None:
    """Serve until the engine ends this process."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8), options=_CHANNEL_OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(engine_address), server)
    serve_until_stopped(server)


if __name__ == "__main__":
    # The engine gives its address last, after flags that concern other hosts.
    serve(sys.argv[-1])
