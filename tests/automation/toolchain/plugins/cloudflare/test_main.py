"""The plugin's process."""

import signal
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-u", "-P", "-m", "automation.toolchain.plugins.cloudflare", "127.0.0.1:1"]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_tells_its_port_first_and_ends_quietly(end: signal.Signals) -> None:
    """The engine reads one line, and interrupts its plugins when it is done."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) > 0
        process.send_signal(end)
        assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0


def test_it_tells_its_version() -> None:
    """As the official plugin does."""
    said = subprocess.run([*COMMAND[:-1], "-version"], capture_output=True, text=True, check=True, timeout=60).stdout
    assert said == "6.23.1\n"


def test_it_starts_without_the_sdks_and_their_weight() -> None:
    """Each order starts it once: what it imports is paid for every time."""
    program = (
        "import sys\n"
        "from automation.toolchain.plugins.cloudflare import __main__ as plugin\n"
        "plugin.import_service()\n"
        "print(*sorted({'cloudflare', 'httpx', 'rich', 'pydantic', 'pulumi.automation', 'pulumi.resource'}"
        " & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == ""
