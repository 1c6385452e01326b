"""The Python language host: over gRPC, and under the real CLI as a person at a terminal uses it."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from automation.toolchain import Toolchain
from automation.toolchain.plugins.language import LanguageHost
from tests.fixtures.engine import until

ENDLESS = "import sys, time\nprint('started', flush=True)\ntime.sleep(600)\n"


@pytest.fixture
def host() -> Iterator[Any]:
    """A connection to a served host."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost("127.0.0.1:1"), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield language_pb2_grpc.LanguageRuntimeStub(channel)
    server.stop(grace=None).wait()


def request(folder: Path, kind: str, *arguments: str) -> Any:
    """A request to run the plugin in a folder."""
    info = language_pb2.ProgramInfo(root_directory=str(folder), program_directory=str(folder), entry_point=".")
    environment = [f"PATH={os.defpath}", "GREETING=hello=there"]
    return language_pb2.RunPluginRequest(pwd=str(folder), args=arguments, env=environment, info=info, kind=kind)


def test_it_tells_its_version_and_where_the_engine_is(host: Any) -> None:
    """The first two calls of every engine."""
    host.Handshake(language_pb2.LanguageHandshakeRequest(engine_address="127.0.0.1:2"))
    assert host.GetPluginInfo(empty_pb2.Empty()).version == "3.259.0"


def test_it_tells_what_is_installed_and_installs_nothing(host: Any) -> None:
    """`pulumi about` and `pulumi install`."""
    told = host.GetProgramDependencies(language_pb2.GetProgramDependenciesRequest()).dependencies
    assert "3.259.0" in {item.version for item in told if item.name == "pulumi"}
    (answer,) = host.InstallDependencies(language_pb2.InstallDependenciesRequest())
    assert b"Nothing installed" in answer.stdout


def test_a_plugin_written_in_python_gets_arguments_and_environment(host: Any, tmp_path: Path) -> None:
    """And what it prints comes back, with its exit status at the end."""
    (tmp_path / "__main__.py").write_text(
        "import os, sys\nprint(os.environ['GREETING'], *sys.argv[1:])\nsys.stderr.write('oh\\n')\nsys.exit(3)\n"
    )
    answers = list(host.RunPlugin(request(tmp_path, "resource", "engine:1")))
    assert b"".join(answer.stdout for answer in answers) == b"hello=there engine:1\n"
    assert b"".join(answer.stderr for answer in answers) == b"oh\n"
    assert answers[-1].exitcode == 3


def test_a_policy_pack_is_run_by_the_sdks_own_runner(host: Any, tmp_path: Path) -> None:
    """Which is told where the engine is, and the pack's folder."""
    (tmp_path / "__main__.py").write_text("import sys\nprint('pack', *sys.argv[1:])\n")
    answers = list(host.RunPlugin(request(tmp_path, "analyzer", "127.0.0.1:1")))
    assert b"".join(answer.stdout for answer in answers) == f"pack 127.0.0.1:1 {tmp_path}\n".encode()
    assert answers[-1].exitcode == 0


def children() -> list[psutil.Process]:
    """Processes that the host has started; it runs in this process."""
    return psutil.Process().children(recursive=True)


@pytest.mark.parametrize("ending", ["the engine hangs up", "the engine cancels"])
def test_a_plugin_ends_with_its_engine(host: Any, tmp_path: Path, ending: str) -> None:
    """Nothing is left running."""
    (tmp_path / "__main__.py").write_text(ENDLESS)
    before = set(children())
    call = host.RunPlugin(request(tmp_path, "resource"))
    assert next(call).stdout == b"started\n"
    started = [process for process in children() if process not in before]
    assert started
    if ending == "the engine cancels":
        host.Cancel(empty_pb2.Empty())
        assert list(call)[-1].exitcode != 0
    else:
        call.cancel()
    assert psutil.wait_procs(started, timeout=30)[1] == []


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def pulumi(engine_toolchain: Toolchain, tmp_path: Path) -> Run:
    """The CLI, run in a project of its own with state in a folder."""
    project, state = tmp_path / "project", tmp_path / "state"
    project.mkdir()
    state.mkdir()
    (project / "Pulumi.yaml").write_text(f"name: byhand\nruntime: python\nbackend: {{url: 'file://{state}'}}\n")
    environment = {
        "HOME": str(tmp_path),
        "PULUMI_CONFIG_PASSPHRASE": "of this test only",
        **engine_toolchain.environment(),
    }

    def run(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        command = [str(engine_toolchain.pulumi), "--non-interactive", *arguments]
        return subprocess.run(
            command, cwd=project, env={**environment, **more}, capture_output=True, text=True, check=False, timeout=200
        )

    assert run("stack", "init", "dev").returncode == 0
    return run


PROGRAM = """
import sys
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider
from beside import WORD

class Provider(ResourceProvider):
    def create(self, props):
        return CreateResult("the id", {**props, "said": props["word"].upper()})

class Said(Resource):
    said: pulumi.Output[str]
    def __init__(self, name, word):
        super().__init__(Provider(), name, {"word": word, "said": None})

print("arguments", sys.argv[1:])
pulumi.export("said", Said("said", WORD + pulumi.Config().require("mark")).said)
"""


@pytest.mark.engine
def test_a_program_is_previewed_brought_up_and_taken_down_by_hand(pulumi: Run, tmp_path: Path) -> None:
    """With its configuration, a module beside it, and a dynamic provider."""
    (tmp_path / "project" / "beside.py").write_text("WORD = 'hello'\n")
    (tmp_path / "project" / "__main__.py").write_text(PROGRAM)
    pulumi("config", "set", "mark", "!")
    preview = pulumi("preview")
    assert preview.returncode == 0, preview.stderr
    assert "2 to create" in preview.stdout
    assert "warning" not in preview.stdout
    assert "Traceback" not in preview.stdout + preview.stderr
    up = pulumi("up", "--yes", "--skip-preview")
    assert up.returncode == 0, up.stdout
    assert json.loads(pulumi("stack", "output", "--json").stdout) == {"said": "HELLO!"}
    assert "2 unchanged" in pulumi("preview", "--refresh").stdout
    assert pulumi("destroy", "--yes", "--skip-preview").returncode == 0


@pytest.mark.engine
def test_a_program_that_fails_shows_its_own_traceback(pulumi: Run, tmp_path: Path) -> None:
    """And the command fails."""
    (tmp_path / "project" / "__main__.py").write_text("def here():\n    raise KeyError('not there')\n\nhere()\n")
    preview = pulumi("preview")
    assert preview.returncode != 0
    assert "KeyError: 'not there'" in preview.stdout


@pytest.mark.engine
def test_an_ignored_option_is_told(pulumi: Run, tmp_path: Path) -> None:
    """Programs run with one interpreter, whatever Pulumi.yaml asks for."""
    settings = tmp_path / "project" / "Pulumi.yaml"
    settings.write_text(
        settings.read_text().replace("runtime: python", "runtime: {name: python, options: {virtualenv: venv}}")
    )
    (tmp_path / "project" / "__main__.py").write_text("print('ran')\n")
    preview = pulumi("preview")
    assert preview.returncode == 0
    assert "Pulumi.yaml sets virtualenv; programs run with" in preview.stdout + preview.stderr


COMPONENT = """
import sys
from pulumi.provider.experimental.provider import GetSchemaResponse, Provider
from pulumi.provider.experimental.server import main

class Ours(Provider):
    async def get_schema(self, request):
        return GetSchemaResponse('{"name": "ours", "version": "1.2.3"}')

main(sys.argv[1:], "1.2.3", Ours())
"""


@pytest.mark.engine
def test_the_cli_starts_a_plugin_written_in_python_through_the_host(pulumi: Run, tmp_path: Path) -> None:
    """And ends it."""
    plugin = tmp_path / "plugin"
    plugin.mkdir()
    (plugin / "PulumiPlugin.yaml").write_text("runtime: python\n")
    (plugin / "__main__.py").write_text(COMPONENT)
    answer = pulumi("package", "get-schema", str(plugin))
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["name"] == "ours"
    until(
        lambda: not any(str(plugin) in (process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
    )
