"""The engine's view of a firewall. Named in the state of stacks: never move or rename :class:`HostFirewallProvider`."""

from typing import Any, ClassVar

from pulumi.dynamic import (
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from components.pve_access.firewall import bring, look, remove
from components.pve_access.node import log_in
from components.robot.checks import check_inputs
from components.specs.platform.node_firewall import HostFirewall

_FIELDS = frozenset(HostFirewall.model_fields)


class HostFirewallProvider(ResourceProvider):
    """Create, read, update and delete of a node's own firewall; the resource's id is the node's name."""

    serialize_as_secret_always: ClassVar[bool] = False  # type: ignore[misc] # the SDK reads it from the class too

    def configure(self, req: ConfigureRequest) -> None:
        """Remember nothing of the stack's configuration: what is needed is in the environment."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what the node would refuse, before anything exists."""
        return check_inputs(HostFirewall, news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare; another node has another firewall."""
        before, wanted = _spec(_olds), _spec(_news)
        replaces = ["node"] if before.node != wanted.node else []
        return DiffResult(changes=before != wanted, replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make it, or finish what an interrupted run has begun."""
        spec = _spec(props)
        with log_in(spec) as node:
            bring(node, spec)
        return CreateResult(spec.node, spec.model_dump(mode="json"))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look at what is really there. A firewall is never gone: it may be off, and have no rules."""
        spec = _spec(props)
        with log_in(spec) as node:
            return ReadResult(id_, look(node, spec).model_dump(mode="json"))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring it to its new form."""
        spec = _spec(_news)
        with log_in(spec) as node:
            bring(node, spec, [group.name for group in _spec(_olds).groups])
        return UpdateResult(spec.model_dump(mode="json"))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Leave the node as its installation did."""
        spec = _spec(_props)
        with log_in(spec) as node:
            remove(node, spec)


def _spec(props: dict[str, Any]) -> HostFirewall:
    return HostFirewall.model_validate({key: value for key, value in props.items() if key in _FIELDS})
