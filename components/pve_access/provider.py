"""The engine's view of the token. Named in the state of stacks: never move or rename :class:`NodeAccessProvider`."""

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

from components.pve_access.inventory import Inventory, inventory
from components.pve_access.node import log_in
from components.pve_access.settings import inventory_settings
from components.pve_access.tokens import LiveToken, bring, issue, look, revoke, token_name
from components.robot.checks import PROVIDER_KEY, check_inputs, is_unknown
from components.specs.platform.node_access import NodeAccessSpec

OUTPUT = "token_id"


class NodeAccessProvider(ResourceProvider):
    """Create, read, update and delete of the control plane's token on a node; the resource's id is the node's name.

    An instance holds nothing, so nothing but the class's name gets into the state. Credentials come from the engine's
    environment; the token itself goes from the node to the control plane and is returned to nobody.
    """

    serialize_as_secret_always: ClassVar[bool] = False  # type: ignore[misc] # the SDK reads it from the class too

    def configure(self, req: ConfigureRequest) -> None:
        """Remember nothing of the stack's configuration: what is needed is in the environment."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what the node would refuse, before anything exists."""
        return check_inputs(NodeAccessSpec, news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare; another node or another user is another token."""
        if is_unknown({key: value for key, value in _news.items() if key != PROVIDER_KEY}):
            return DiffResult(changes=True, replaces=[])
        before, wanted = _spec(_olds), _spec(_news)
        replaces = [name for name in ("node", "user") if getattr(before, name) != getattr(wanted, name)]
        return DiffResult(changes=_compared(before) != _compared(wanted), replaces=replaces, delete_before_replace=True)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make it and deposit it; what an interrupted run has made is replaced."""
        spec = _spec(props)
        with log_in(spec) as node, _inventory() as control_plane:
            return CreateResult(spec.node, _outputs(spec, issue(node, control_plane, spec)))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look whether it is still there, and what it may do."""
        spec = _spec(props)
        with log_in(spec) as node:
            live = look(node, spec.user, props[OUTPUT])
        return ReadResult(None, {}) if live is None else ReadResult(id_, _outputs(spec, live))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Replace it by a new one if the rotation is another, else bring its grants to their new form."""
        spec = _spec(_news)
        with log_in(spec) as node:
            if spec.rotation == _spec(_olds).rotation:
                return UpdateResult(
                    _outputs(spec, bring(node, f"{spec.user}!{token_name(spec.rotation)}", spec.grants))
                )
            with _inventory() as control_plane:
                return UpdateResult(_outputs(spec, issue(node, control_plane, spec)))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove it, and take back what was deposited."""
        spec = _spec(_props)
        with log_in(spec) as node, _inventory() as control_plane:
            revoke(node, control_plane, spec.node, spec.user)


def _spec(props: dict[str, Any]) -> NodeAccessSpec:
    return NodeAccessSpec.model_validate({key: value for key, value in props.items() if key in _FIELDS})


_FIELDS = frozenset(NodeAccessSpec.model_fields)


def _compared(spec: NodeAccessSpec) -> dict[str, Any]:
    document = spec.model_dump(mode="json")
    return {**document, "grants": sorted((grant["path"], grant["role"]) for grant in document["grants"])}


def _outputs(spec: NodeAccessSpec, live: LiveToken) -> dict[str, Any]:
    grants = [grant.model_dump() for grant in live.grants]
    return {**spec.model_dump(mode="json"), "grants": grants, OUTPUT: live.token_id}


def _inventory() -> Inventory:
    return inventory(inventory_settings())
