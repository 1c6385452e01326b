"""A node, as the place of an operation on one of its guests."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.operations.events import LogLine
from api.operations.leased import Leased, LeasedNode
from api.operations.models import OperationKind
from api.plans.document import PlanDocument, StepOp
from api.settings import WorkerSettings
from api.vault import Vault
from automation.operations.environment import node_environment
from automation.operations.guests import GuestDirectory, GuestError, NodeAccess
from automation.operations.places import OutOfReach, Sight, Tell
from automation.operations.verification import find_mismatch
from components.specs import WorkloadKind, parse_workload_spec

_UNREACHABLE = "node_unreachable"


def node_access(node: LeasedNode, vault: Vault) -> NodeAccess:
    """Return how to reach a node, its credential opened."""
    return NodeAccess(
        name=node.name,
        endpoint=node.endpoint,
        verify_tls=node.verify_tls,
        api_token=vault.open(node.token_encrypted),
    )


@dataclass(frozen=True, slots=True)
class GuestPlace:
    """Implements ``automation.operations.places.Place``: the node's own word counts."""

    lease: Leased
    node: NodeAccess
    guests: GuestDirectory
    settings: WorkerSettings

    @property
    def deadline_seconds(self) -> float:
        """See ``Place``."""
        return self.settings.operation_deadline_seconds

    def environment(self) -> Mapping[str, str]:
        """See ``Place``: one stack lives on one node, so its default provider is that node's."""
        return node_environment(self.node)

    def must_look_first(self, tell: Tell) -> bool:
        """Tell whether a container that is to be stopped has stopped by itself, as when its owner halts it from within.

        The stack takes it for running, and the node refuses to shut down what does not run ("CT 100 not running"), so
        the engine has to look first. Nothing else needs it: the provider looks by itself before it stops a virtual
        machine, and before it starts either kind.
        """
        if not self._stops or self._kind is WorkloadKind.CLOUD_VM:
            return False
        try:
            facts = self.guests.find(self.node, self.lease.vmid)
        except GuestError:
            return False  # the engine meets the same trouble and has the words for it
        if facts is None or facts.is_running:
            return False
        tell(LogLine("guest", f"{self.lease.name} is off already."))
        return True

    def is_taken(self, plan: PlanDocument) -> bool:
        """Tell whether somebody else's guest sits where the plan would make a container.

        The provider takes "already exists" for the success of a create that it repeats, and would go on to set up, and
        some day delete, a container that is not ours. One of ours bears its order's tag from its first moment on. (A
        virtual machine is cloned first and tagged then, and the provider does refuse one that is there.)
        """
        if not any(step.op is StepOp.CREATE and step.resource == "ContainerLegacy" for step in plan.steps):
            return False
        try:
            facts = self.guests.find(self.node, self.lease.vmid)
        except GuestError:
            return False  # the engine meets the same trouble and has the words for it
        return facts is not None and not facts.tags.issuperset(parse_workload_spec(self.lease.desired).tags)

    def prepare(self, tell: Tell) -> None:
        """Let a virtual machine that is to be stopped shut itself down: the provider would pull its plug.

        That is what it does with a machine without a guest agent. A container it asks by itself, and kills only one
        that takes longer than the ``timeout_delete`` of its kind: nothing is left to do here.
        """
        if not self._stops or self._kind is not WorkloadKind.CLOUD_VM:
            return
        tell(LogLine("guest", f"Asking {self.lease.name} to shut down."))
        try:
            obeyed = self.guests.shut_down(self.node, self.lease.vmid, WorkloadKind.CLOUD_VM)
        except GuestError:
            return  # the engine meets the same trouble and has the words for it
        if not obeyed:
            tell(LogLine("guest", f"{self.lease.name} does not react; it will be switched off."))

    def restart(self) -> None:
        """See ``Place``."""
        try:
            self.guests.reboot(self.node, self.lease.vmid, self._kind)
        except GuestError as error:
            raise OutOfReach(_UNREACHABLE, f"{error}.") from error

    def look(self) -> Sight:
        """See ``Place``: is the guest there and ours, or is it gone?"""
        try:
            facts = self.guests.find(self.node, self.lease.vmid)
        except GuestError as error:
            raise OutOfReach(_UNREACHABLE, f"{error}.") from error
        wrong = find_mismatch(self.lease.kind, self.lease.desired, facts)
        return Sight(wrong, is_running=facts is not None and facts.is_running)

    def conclude(self) -> None:
        """See ``Place``: nothing is left to do at a node."""

    @property
    def _kind(self) -> WorkloadKind:
        return WorkloadKind(str(self.lease.desired["kind"]))

    @property
    def _stops(self) -> bool:
        """Whether a guest that is there shall be off."""
        return self.lease.kind is OperationKind.APPLY and self.lease.was_applied and not self.lease.desired["started"]
