"""The engine's view of configuration sections. Named in the state of stacks: never move or rename the provider."""

from typing import Any, ClassVar

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from components.pbs.connection import pbs_settings, shared_pbs
from components.pbs.sections import Sections, same
from components.robot.checks import check_inputs, is_unknown
from components.specs.pbs import PbsSectionSpec


class PbsSectionProvider(ResourceProvider):
    """Create, read, update and delete of a datastore, a prune job or a verification job."""

    serialize_as_secret_always: ClassVar[bool] = False  # type: ignore[misc] # the SDK reads it from the class too

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what the server would refuse, before anything is written."""
        return check_inputs(PbsSectionSpec, news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Settings change in place; another name is another section."""
        if is_unknown(_news.get("settings")):
            return DiffResult(changes=True, replaces=[])
        replaces = [key for key in ("kind", "name") if _olds[key] != _news[key]]
        old, new = _olds["settings"], _news["settings"]
        differs = old.keys() != new.keys() or any(not same(old[key], value) for key, value in new.items())
        return DiffResult(changes=bool(replaces) or differs, replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make it, or take over the one of this name."""
        spec = _spec(props)
        return CreateResult(f"{spec.kind}/{spec.name}", _outputs(spec, _sections().ensure(spec)))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look at what is really there; settings that are not ours to say are left out."""
        spec = _spec(props)
        live = _sections().get(spec.kind, spec.name)
        return ReadResult(None, {}) if live is None else ReadResult(id_, _outputs(spec, live))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring it to its new form."""
        spec = _spec(_news)
        return UpdateResult(_outputs(spec, _sections().bring(spec, no_longer=_olds["settings"])))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Take it out of the configuration; a datastore's files stay on its disk."""
        _sections().remove(_props["kind"], _props["name"])


def _sections() -> Sections:
    return Sections(shared_pbs(pbs_settings()))


def _spec(props: dict[str, Any]) -> PbsSectionSpec:
    """The inputs; the engine makes a float of every number."""
    settings = {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in props["settings"].items()
    }
    return PbsSectionSpec.model_construct(kind=props["kind"], name=props["name"], settings=settings)


def _outputs(spec: PbsSectionSpec, live: dict[str, Any]) -> dict[str, Any]:
    """What is there of what was declared: where it means the same, in the words of the declaration."""
    settings = {
        key: value if same(live[key], value) else live[key] for key, value in spec.settings.items() if key in live
    }
    return {"kind": spec.kind, "name": spec.name, "settings": settings}
