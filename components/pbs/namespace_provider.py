"""The engine's view of namespaces. Named in the state of stacks: never move or rename the provider."""

from typing import Any, ClassVar

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, ResourceProvider

from components.pbs.connection import pbs_settings, shared_pbs
from components.pbs.namespaces import Namespaces
from components.robot.checks import check_inputs
from components.specs.pbs import PbsNamespaceSpec


class PbsNamespaceProvider(ResourceProvider):
    """Create, read and delete of a namespace; one that holds backups is not deleted."""

    serialize_as_secret_always: ClassVar[bool] = False  # type: ignore[misc] # the SDK reads it from the class too

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what the server would refuse."""
        return check_inputs(PbsNamespaceSpec, news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another name or datastore is another namespace."""
        replaces = [key for key in ("datastore", "name") if _olds[key] != _news[key]]
        return DiffResult(changes=bool(replaces), replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make it, unless it is there."""
        spec = _spec(props)
        _namespaces().ensure(spec)
        return CreateResult(f"{spec.datastore}/{spec.name}", spec.model_dump())

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look whether it is there."""
        spec = _spec(props)
        return ReadResult(id_, spec.model_dump()) if _namespaces().exists(spec) else ReadResult(None, {})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove it if it is empty."""
        _namespaces().remove(_spec(_props))


def _namespaces() -> Namespaces:
    return Namespaces(shared_pbs(pbs_settings()))


def _spec(props: dict[str, Any]) -> PbsNamespaceSpec:
    return PbsNamespaceSpec(datastore=props["datastore"], name=props["name"])
