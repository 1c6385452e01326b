"""What the words of the CLI, the engine and the providers mean."""

import signal

import pytest

from automation.engine import errors
from automation.engine.scrub import Scrubber

# Each text was seen in a run of the real CLI and plugins, or stands in the thread or source that is named.
SEEN = [
    ("install: the operation was cancelled; the machine is switched off (metal/cancelled)", "cancelled", True),
    ("Exception calling application: 503, timed out (metal/bmc, again)", "machine_unavailable", True),
    ("the machine API does not take the grant (metal/grant_void)", "grant_void", True),
    ("machine 'dl-1' has the serial X, and Y is written down (metal/wrong_machine)", "wrong_machine", False),
    ("machine 'dl-1' is in quarantine (metal/quarantined)", "machine_quarantined", False),
    ("the machine cannot go back to the pool (metal/not_wiped)", "machine_quarantined", False),
    ("Robot cannot boot from our network: already exists (metal/bmc)", "machine_failed", False),
    ("error: the stack is currently locked by 1 lock(s). Either wait for the other process(es)", "stack_locked", True),
    ("error: no stack named 'w-test' found", "stack_not_found", False),
    ("error: stack 'organization/slipway/w-test' already exists", "stack_exists", True),
    ("error: constructing secrets manager: incorrect passphrase", "wrong_passphrase", False),
    ("failed to load checkpoint: blob (code=Unknown): illegal base64 data at input byte 400", "state_corrupt", False),
    ("error: failed to load checkpoint: place 1: unexpected end of JSON input", "state_corrupt", False),
    ("error: The Pulumi CLI encountered a snapshot integrity error. This is a bug!", "state_corrupt", False),
    ("failed to load checkpoint: blob (code=Unknown): dial tcp db:5432: i/o timeout", "state_unavailable", True),
    ("python inline source runtime error: \nTraceback…\nMemoryError", "out_of_memory", True),
    ("write /tmp/x: no space left on device", "disk_full", True),
    (
        "failed to ping PostgreSQL: dial unix /run/pg/.s.PGSQL.5432: connect: connection refused",
        "state_unavailable",
        True,
    ),
    ("pq: sorry, too many clients already", "state_unavailable", True),
    ("no resource plugin 'pulumi-resource-proxmoxve' found in the workspace", "plugin_missing", False),
    ("500 can't lock file '/var/lock/qemu-server/lock-9000.conf' - got timeout", "proxmox_locked", True),
    ("VM is locked (clone)", "proxmox_locked", True),
    ("Reason: unable to create VM 201: config file already exists", "guest_exists", True),
    ("500 - CT 301 already exists on node 'game-1'", "guest_exists", True),
    ("volume 'local:vztmpl/minecraft.tar.zst' does not exist", "template_missing", False),
    ("Configuration file 'nodes/a/qemu-server/9000.conf' does not exist", "template_missing", False),
    ("lvcreate: not enough space in thin pool", "storage_full", True),
    ("401 authentication failure", "proxmox_auth", False),
    ("received an HTTP 403 response - Reason: Permission check failed (/vms/201, VM.Clone)", "proxmox_auth", False),
    (
        "Cloudflare refused POST /zones/z/dns_records with status 429: Too Many Requests",
        "cloudflare_rate_limited",
        True,
    ),
    ("Cloudflare refused POST … 400: An identical record already exists. (code 81058)", "dns_conflict", False),
    ("Cloudflare refused GET /zones with status 403: Authentication error (code 10000)", "cloudflare_auth", False),
    ("Cloudflare did not answer POST /zones/z/dns_records: Connection broken", "cloudflare_unavailable", True),
    ("sdk.helper_schema: Existing rules detected. Aborting...", "already_exists", True),
    ("received an HTTP 595 response - Reason: Connection refused", "provider_unavailable", True),
    ('Post "https://127.0.0.1:8006/api2/json/nodes/a/lxc": EOF', "provider_unreachable", True),
    ("context deadline exceeded", "provider_unreachable", True),
    ("panic: runtime error: slice bounds out of range [:40] with length 33", "engine_crashed", True),
    ("pulumi-resource-cloudflare exited prematurely", "engine_crashed", True),
    (
        (
            "dial tcp 127.0.0.1:34403: connect: connection refused Detected that /w/pulumi-resource-proxmoxve "
            "exited prematurely. code: 1 stdout: Updating (w-01a22275-9403) permission denied"
        ),
        "engine_crashed",
        True,
    ),
    ("dial tcp 10.0.0.9:34403: connect: connection refused (proxmoxve permission)", "provider_unreachable", True),
    ("Parameter verification failed. cores: value must be an integer", "invalid_input", False),
    ("python inline source runtime error: boom", "program_error", False),
    ("error: update canceled", "cancelled", True),
    ("something new under the sun", "engine_error", True),
]


@pytest.mark.parametrize(("text", "code", "retryable"), SEEN)
def test_each_known_text_has_its_meaning(text: str, code: str, *, retryable: bool) -> None:
    """The code is stable, and says whether time may heal it."""
    failure = errors.classify(text, Scrubber())

    assert (failure.code, failure.retryable) == (code, retryable)
    assert failure.message.endswith(".")


def test_the_detail_is_short_and_without_secrets() -> None:
    """Operators get the engine's own words, customers a sentence of ours."""
    failure = errors.classify("boom token=hunter2 " + "x" * 5000, Scrubber(["a known secret"]))

    assert "hunter2" not in failure.detail
    assert len(failure.detail) <= 600
    assert "boom" not in failure.message


@pytest.mark.parametrize(("code", "expected"), [(-9, "engine_killed"), (1, "engine_error")])
def test_a_signal_says_more_than_words(code: int, expected: str) -> None:
    """A command that was killed had no time to explain."""
    assert errors.of_command(code, "", Scrubber()).code == expected


def test_a_killed_engine_names_the_signal() -> None:
    """It tells the memory killer's SIGKILL from somebody's SIGTERM."""
    assert "SIGKILL" in errors.killed(signal.SIGKILL).message
