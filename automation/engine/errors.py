"""What the engine's own words mean in our terms.

The only place that matches the output of the CLI, the engine or a provider: a new version that words an error
differently changes this table and nothing else.
"""

import re
import signal
from typing import NamedTuple

from automation.engine.contract import EngineFailure
from automation.engine.scrub import Scrubber

EXISTS_CODES = frozenset({"guest_exists", "dns_conflict", "already_exists"})
"""Failures that mean: what was to be created is there already, perhaps from an attempt whose answer was lost."""

_DETAIL_CHARACTERS = 600


class OperationFailed(Exception):  # noqa: N818 - says what happened
    """An operation cannot go on, for a reason that is ours and not the engine's.

    Attributes:
        failure: the reason in our terms.
    """

    def __init__(self, code: str, message: str, *, retryable: bool = False, detail: str = "") -> None:
        super().__init__(message)
        self.failure = EngineFailure(code, message, retryable, detail)


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    code: str
    retryable: bool
    message: str


def _rule(pattern: str, code: str, message: str, *, retryable: bool) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), code, retryable, message)


# Order matters: the first rule that matches decides, so the particular stand before the general.
_RULES = (
    # What ``pxe.errors`` marks: the provider of dedicated machines knows better than any word in its sentence.
    _rule(r"\(metal/cancelled\b", "cancelled", "The operation was cancelled; the machine is off.", retryable=True),
    _rule(
        r"\(metal/grant_void\b",
        "grant_void",
        "This attempt may act on the machine no longer; another one goes on.",
        retryable=True,
    ),
    _rule(
        r"\(metal/\w+, again\)",
        "machine_unavailable",
        "The machine or its power control did not do what it was told; it is tried again.",
        retryable=True,
    ),
    _rule(
        r"\(metal/wrong_machine\)",
        "wrong_machine",
        "This is not the machine that it should be. None of its disks was touched; somebody looks at it.",
        retryable=False,
    ),
    _rule(
        r"\(metal/(?:quarantined|not_wiped)\)",
        "machine_quarantined",
        "The machine is not proven to be in order; somebody looks at it.",
        retryable=False,
    ),
    _rule(
        r"\(metal/\w+\)",
        "machine_failed",
        "The machine could not be brought to what was ordered; somebody looks at it.",
        retryable=False,
    ),
    _rule(
        r"the stack is currently locked by|another update is currently in progress",
        "stack_locked",
        "Another operation holds this workload; it is tried again later.",
        retryable=True,
    ),
    _rule(
        r"no stack named .* found|stack .* not found",
        "stack_not_found",
        "This workload has no infrastructure yet.",
        retryable=False,
    ),
    _rule(r"stack '[^']*' already exists", "stack_exists", "This workload's stack exists already.", retryable=True),
    _rule(
        r"incorrect passphrase|cipher: message authentication failed",
        "wrong_passphrase",
        "The workload's state could not be decrypted.",
        retryable=False,
    ),
    _rule(
        r"failed to load checkpoint: .*(?:base64|JSON input|invalid character|unmarshal|converting NULL|unsupported)|"
        r"snapshot integrity (?:error|failure)|unsupported (?:checkpoint|deployment) ",
        "state_corrupt",
        "The workload's stored state cannot be read. Nothing was touched; somebody has to bring its backup back.",
        retryable=False,
    ),
    _rule(
        r"MemoryError|cannot allocate memory|runtime: out of memory|errno 12\b",
        "out_of_memory",
        "The operation needed more memory than it may use.",
        retryable=True,
    ),
    _rule(
        r"no space left on device|disk quota exceeded.*pulumi",
        "disk_full",
        "The machine that runs operations is out of disk space.",
        retryable=True,
    ),
    _rule(
        r"(dial tcp|connect).*?(5432|postgres|\.s\.PGSQL)|failed to (connect to|ping) postgresql|"
        r"pq: (sorry, too many clients|the database system is)",
        "state_unavailable",
        "The store of workload states could not be reached.",
        retryable=True,
    ),
    _rule(
        r"no resource plugin|could not (?:find|load) plugin|failed to load (?:language )?plugin|"
        r"fork/exec .*pulumi-resource",
        "plugin_missing",
        "A provider plugin is missing on the machine that runs operations.",
        retryable=False,
    ),
    # Before all that name a provider: what a dead plugin leaves behind is full of names, ports and identifiers.
    _rule(
        r"\bpanic: |fatal error: |plugin exited|exited prematurely|error reading from server|Unavailable desc",
        "engine_crashed",
        "The engine or a provider's plugin crashed; it is tried again.",
        retryable=True,
    ),
    _rule(
        r"can't lock file|can't acquire lock|got timeout|cfs-lock|is locked \((?:clone|create|backup|migrate|"
        r"disk|snapshot)\)",
        "proxmox_locked",
        "The node is busy with another task on this template or guest; it is tried again.",
        retryable=True,
    ),
    _rule(
        r"unable to create (?:vm|ct)? ?\d+.*already exists|config file already exists|(?:vm|ct) \d+ already exists",
        "guest_exists",
        "A guest with this number exists on the node already.",
        retryable=True,
    ),
    _rule(
        r"unable to find .*template|volume '[^']*vztmpl[^']*' does not exist|no such template|"
        r"template .* (?:does not exist|not found)|(?:vm|unable to find configuration file for vm) \d+.*"
        r"(?:does not exist|no such|on node)|'?qemu-server/\d+\.conf'? does not exist",
        "template_missing",
        "The template or guest was not found on the node.",
        retryable=False,
    ),
    _rule(
        r"not enough space|no space left|insufficient (?:free )?space|out of space",
        "storage_full",
        "The node's storage has no room for this disk.",
        retryable=True,
    ),
    _rule(
        r"(?:permission check failed|\b403\b.*(?:proxmox|pve|permission)|\b401\b .*(?:authentication failure|no ticket|"
        r"permission denied|invalid token)|authentication failure|invalid pve ticket)",
        "proxmox_auth",
        "The node refused our credentials.",
        retryable=False,
    ),
    _rule(
        r"cloudflare.*(?:rate limit|429|too many requests)|\b971\b.*rate",
        "cloudflare_rate_limited",
        "The DNS provider asks us to slow down; it is tried again.",
        retryable=True,
    ),
    _rule(
        r"\b(?:81053|81054|81055|81056|81057|81058)\b|(?:dns )?record.*already exists|identical record",
        "dns_conflict",
        "A DNS record of this name exists already and is not ours.",
        retryable=False,
    ),
    _rule(
        r"cloudflare.*(?:authentication error|invalid (?:api|access) token|\b(?:401|403|9109|10000)\b)",
        "cloudflare_auth",
        "The DNS provider refused our credentials.",
        retryable=False,
    ),
    _rule(
        r"cloudflare.*(?:\b5\d\d\b|timeout|connection|eof)|dnsRecord.*(?:\b5\d\d\b|timed? ?out|connection refused)",
        "cloudflare_unavailable",
        "The DNS provider did not answer; it is tried again.",
        retryable=True,
    ),
    _rule(
        r"already exists|existing rules detected",
        "already_exists",
        "Something of this order exists already; it is looked at again.",
        retryable=True,
    ),
    _rule(
        r"\b(?:500|502|503|504|595|596|599)\b[^\n]*|internal server error|bad gateway|service unavailable",
        "provider_unavailable",
        "The infrastructure answered with an error; it is tried again.",
        retryable=True,
    ),
    _rule(
        r"connection refused|connection reset|no route to host|no such host|i/o timeout|\beof\b|"
        r"context deadline exceeded|timed? ?out|tls handshake|connection unexpectedly closed",
        "provider_unreachable",
        "The infrastructure could not be reached; it is tried again.",
        retryable=True,
    ),
    _rule(
        r"validation error|invalid (?:value|argument|parameter)|parameter verification failed|\b400 ",
        "invalid_input",
        "The infrastructure refused a value of this order.",
        retryable=False,
    ),
    _rule(
        r"inline source runtime error|unhandled exception",
        "program_error",
        "The workload's program failed.",
        retryable=False,
    ),
    _rule(
        r"update (?:was )?cancel|operation cancel|\bcancell?ed\b",
        "cancelled",
        "The operation was cancelled.",
        retryable=True,
    ),
)


def classify(text: str, scrub: Scrubber) -> EngineFailure:
    """Say what an error text of the engine means; the scrubbed, shortened original goes along as the detail."""
    detail = " ".join(scrub(text).split())[:_DETAIL_CHARACTERS]
    for rule in _RULES:
        if rule.pattern.search(text):
            return EngineFailure(rule.code, rule.message, retryable=rule.retryable, detail=detail)
    message = "The operation failed for a reason we do not know; it is tried again."
    return EngineFailure("engine_error", message, retryable=True, detail=detail)


def of_command(code: int, text: str, scrub: Scrubber) -> EngineFailure:
    """Say why a command failed, from its exit code (negative for a signal) and its words."""
    return killed(-code) if code < 0 else classify(text, scrub)


def killed(signal_number: int) -> EngineFailure:
    """Return the failure of an engine that a signal ended; the kernel's memory killer is the usual sender."""
    name = signal.Signals(signal_number).name if signal_number in signal.valid_signals() else str(signal_number)
    return EngineFailure("engine_killed", f"The engine was killed ({name}) before it ended.", retryable=True)


def deadline(seconds: float) -> EngineFailure:
    """Return the failure of an engine that ran past its deadline."""
    return EngineFailure("deadline", f"The operation did not end within {seconds:.0f} s.", retryable=True)
