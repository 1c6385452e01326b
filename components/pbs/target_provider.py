"""The engine's view of a node's backup target. Named in the state of stacks: never move or rename the provider."""

from typing import Any, ClassVar

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from components.pbs.connection import pbs_settings, shared_pbs
from components.pbs.node_storages import storages_of
from components.pbs.sections import same
from components.pbs.targets import Targets
from components.robot.checks import PROVIDER_KEY, check_inputs, is_unknown
from components.specs.pbs import BackupTargetSpec

_REPLACES = ("node", "node_endpoint", "datastore", "namespace", "storage")


class BackupTargetProvider(ResourceProvider):
    """Token, permission and storage of one node. The token's secret goes to the node and stays in no state."""

    serialize_as_secret_always: ClassVar[bool] = False  # type: ignore[misc] # the SDK reads it from the class too

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what cannot be right."""
        return check_inputs(BackupTargetSpec, news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Whatever changes, a new token is made for it; the old one goes first."""
        given = {key: value for key, value in _news.items() if key != PROVIDER_KEY}
        changed = [key for key, value in given.items() if is_unknown(value) or not same(_olds.get(key), value)]
        replaces = [key for key in changed if key in _REPLACES]
        return DiffResult(changes=bool(changed), replaces=replaces, delete_before_replace=True)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the token and hand it to the node."""
        spec = _spec(props)
        _targets().make(spec)
        return CreateResult(f"{spec.node}/{spec.storage}", spec.model_dump())

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look whether token and storage are there, and what the storage says."""
        spec = _spec(props)
        live = _targets().get(spec)
        if live is None:
            return ReadResult(None, {})
        seen = {key: live[key] for key in ("server", "port", "fingerprint") if not same(live[key], getattr(spec, key))}
        return ReadResult(id_, {**spec.model_dump(), **seen})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Make a new token and hand it to the node."""
        spec = _spec(_news)
        _targets().make(spec)
        return UpdateResult(spec.model_dump())

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Take the storage off the node, and the token off the server."""
        _targets().remove(_spec(_props))


def _targets() -> Targets:
    return Targets(shared_pbs(pbs_settings()), storages_of)


def _spec(props: dict[str, Any]) -> BackupTargetSpec:
    given = {key: value for key, value in props.items() if key in BackupTargetSpec.model_fields}
    return BackupTargetSpec.model_validate(given)
