"""Brings a stack back after its engine died, or after a create whose answer was lost.

An interrupted create is the one thing the engine cannot judge: the guest may be there or not. Clearing the record
blindly would leave a running guest that nobody pays for or knows of, so each one is looked up by the identity it was
given beforehand: found and ours means taken into the state, absent means cleared, anybody else's means stop.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from pulumi.automation.errors import StackNotFoundError

from automation.engine.actions import Operation
from automation.engine.errors import OperationFailed, classify
from automation.engine.identity import Finding, Presence, owned_guests
from automation.engine.lookups import LOOKUP_ERRORS, Lookup, Lookups
from automation.engine.scrub import Scrubber

_BUSY_SECONDS = 120.0
_ASK_AGAIN_SECONDS = 1.0
_CREATING = "creating"
_STATE_KEYS = ("urn", "type", "custom", "inputs", "parent", "provider", "protect")


@dataclass(frozen=True, slots=True)
class PendingCreate:
    """A create of which the state does not know how it ended."""

    resource: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The type token."""
        return str(self.resource["type"])

    @property
    def name(self) -> str:
        """The program's name for it."""
        return str(self.resource["urn"]).rpartition("::")[2]

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What the program asked for."""
        return self.resource.get("inputs") or {}


class Patience(Protocol):
    """Says when an operation must not go on."""

    def check(self) -> None:
        """Raise if the operation was stopped."""


class Recovery:
    """The recovery of one stack."""

    def __init__(self, operation: Operation, lookups: Lookups, patience: Patience, scrub: Scrubber) -> None:
        """Work on an operation's stack, with commands that leave their files in its directory."""
        self._operation = operation
        self._directory = operation.directory
        self._lookups = lookups
        self._patience = patience
        self._scrub = scrub

    def run(self) -> dict[str, int]:
        """Remove the dead engine's lock, if it has one, and settle what it left; tells how many were imported, cleared.

        Only after proof that no engine works on the stack: the state store's lock is no fence, and two writers
        would overwrite each other.

        Raises:
            OperationFailed: if a guest or record in the way is not ours, or its maker is still at work.
            CommandError: if a command failed.
        """
        try:
            if self._operation.may_unlock:
                self._pulumi("cancel", "--yes")
            state = self._export()
        except StackNotFoundError:
            return {"imported": 0, "cleared": 0}
        if not state["deployment"].get("pending_operations"):
            return {"imported": 0, "cleared": 0}
        return self._settle(state)

    def adopt(self, failed: Iterable[Mapping[str, Any]]) -> dict[str, int]:
        """Settle creates that failed because the thing is there already.

        That happens when an answer was lost after the request had been carried out: the engine then records a
        failure, and nothing in the state tells of the guest. It is given a pending create, as a crash would have.

        Args:
            failed: metadata of the failed steps, from the event log.
        """
        state = self._export()
        operations = [
            {"resource": {key: step["new"][key] for key in _STATE_KEYS if step["new"].get(key)}, "type": _CREATING}
            for step in failed
        ]
        state["deployment"].setdefault("pending_operations", []).extend(operations)
        return self._settle(state)

    def _settle(self, state: dict[str, Any]) -> dict[str, int]:
        """Rewrite the state by what is found outside, then have the engine read the real thing.

        The CLI's own way, ``refresh --import-pending-creates``, was tried with 3.259.0: it only renames the pending
        operation, and the next ``up`` creates a second time.
        """
        deployment = state["deployment"]
        pending = list(pending_creates(deployment))
        try:
            findings = self._look_up(pending, owned_guests(deployment.get("resources") or []))
        except LOOKUP_ERRORS as error:
            failure = classify(str(error), self._scrub)
            raise OperationFailed(
                failure.code, failure.message, retryable=failure.retryable, detail=failure.detail
            ) from error
        ours = [
            # No outputs: that is how a provider knows that this is the id of an import and not its own.
            {**create.resource, "id": finding.import_id, "outputs": {}}
            for create, finding in findings
            if finding.presence is Presence.OURS
        ]
        deployment["resources"] = [*(deployment.get("resources") or []), *ours]
        deployment["pending_operations"] = [
            operation for operation in deployment["pending_operations"] if operation["type"] != _CREATING
        ]
        self._import(state)
        self._operation.refresh()
        return {"imported": len(ours), "cleared": len(pending) - len(ours)}

    def _look_up(
        self, pending: Sequence[PendingCreate], owned: set[tuple[str, int]]
    ) -> list[tuple[PendingCreate, Finding]]:
        """Find out about all of them before anything is changed, then remove what was never finished."""
        findings: list[tuple[PendingCreate, Finding]] = []
        unsettled: list[tuple[PendingCreate, OperationFailed]] = []
        for create in pending:
            try:
                findings.append((create, self._find(create, owned)))
            except OperationFailed as error:
                unsettled.append((create, error))
        if unsettled:
            first = unsettled[0][1].failure
            detail = advice(self._operation.stack.name, unsettled)
            raise OperationFailed(first.code, first.message, retryable=first.retryable, detail=detail)
        for create, finding in findings:
            if finding.presence is Presence.UNFINISHED:
                self._directory.remark(f"Removing the unfinished {finding.name}")
                self._lookup(create).discard(create.inputs)
        return findings

    def _find(self, create: PendingCreate, owned: set[tuple[str, int]]) -> Finding:
        lookup = self._lookup(create)
        if _belongs_to_guest(create) and not _guest_of(create) & owned:
            return Finding(Presence.ABSENT, "firewall")  # it cannot be there without its guest
        give_up = time.monotonic() + _BUSY_SECONDS
        while (finding := lookup.find(create.inputs)).presence is Presence.BUSY:
            self._patience.check()
            if time.monotonic() > give_up:
                raise OperationFailed("guest_busy", f"A task is still making {finding.name}.", retryable=True)
            time.sleep(_ASK_AGAIN_SECONDS)
        if finding.presence is Presence.FOREIGN:
            message = f"In the place of this workload there is a {finding.name} that is not ours."
            raise OperationFailed("identity_conflict", message)
        return finding

    def _lookup(self, create: PendingCreate) -> Lookup:
        lookup = self._lookups.of(create.kind)
        if lookup is None:
            message = f"An interrupted create of {create.kind} cannot be looked up."
            raise OperationFailed("identity_unknown", message)
        return lookup

    def _export(self) -> dict[str, Any]:
        """Return the stack's state, secrets left encrypted."""
        document: dict[str, Any] = json.loads(self._pulumi("stack", "export"))
        return document

    def _import(self, state: Mapping[str, Any]) -> None:
        path = self._directory.next_file("state.json")
        path.write_text(json.dumps(state))
        self._pulumi("stack", "import", "--file", str(path))

    def _pulumi(self, *arguments: str) -> str:
        stack = self._operation.stack
        command = [*arguments, "--stack", stack.name]
        return stack.workspace.pulumi_command.run(command, stack.workspace.work_dir, {}).stdout


def advice(stack: str, unsettled: Sequence[tuple[PendingCreate, OperationFailed]]) -> str:
    """Say what a person has to look at after an interruption, and the commands that settle each case."""
    lines = ["Interrupted while these were being made; look at the provider whether they are there:"]
    for create, error in unsettled:
        name = create.name
        lines += [
            f"- {create.kind} {name}: {error}",
            f"    there, and ours:  pulumi import {create.kind} {name} <its id> --stack {stack}",
        ]
    lines.append(f"Once all that are there are imported:  pulumi refresh --clear-pending-creates --stack {stack}")
    return "\n".join(lines)


def pending_creates(deployment: Mapping[str, Any]) -> Iterable[PendingCreate]:
    """Yield the creates that a deployment has not seen the end of."""
    for operation in deployment.get("pending_operations") or []:
        if operation["type"] == _CREATING:
            yield PendingCreate(operation["resource"])


def _belongs_to_guest(create: PendingCreate) -> bool:
    return create.kind.rpartition(":")[2] in {"RulesLegacy", "IpsetLegacy"}


def _guest_of(create: PendingCreate) -> set[tuple[str, int]]:
    number = create.inputs.get("vmId") or create.inputs.get("containerId")
    with suppress(TypeError, ValueError):
        return {(str(create.inputs.get("nodeName")), int(number or 0))}
    return set()
