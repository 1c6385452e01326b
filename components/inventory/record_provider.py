"""The engine's view of Inventory. Named in the state of stacks: never move or rename the provider."""

from typing import Any, ClassVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pydantic import ValidationError

from components.inventory.connection import connect
from components.inventory.errors import InventoryError
from components.robot.checks import PROVIDER_KEY, is_unknown
from components.specs.platform import parse_report


class InventoryRecordProvider(ResourceProvider):
    """Create, read, update and delete of what Inventory holds of a stack; the resource's id is the stack's name.

    Credentials come from the environment of the engine's process.
    """

    serialize_as_secret_always: ClassVar[bool] = False  # type: ignore[misc] # the SDK reads it from the class too

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Hold the report against its model, and ask whether it would be refused, in the preview already.

        Nobody is asked while parts of it are not known yet, nor if it is the last report over again.
        """
        given = {key: value for key, value in news.items() if key != PROVIDER_KEY}
        if is_unknown(given.get("report")):
            return CheckResult(given, [])
        try:
            report = _canonical(given.get("report"))
        except ValidationError as error:
            found = error.errors()
            failures = [CheckFailure(".".join(map(str, ("report", *item["loc"]))), item["msg"]) for item in found]
            return CheckResult(given, failures)
        failures = [] if report == _told(_olds) else _refusal(report)
        return CheckResult({**given, "report": report}, failures)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare what is held with what is to be told; a stack of another name is another record."""
        if is_unknown(_news.get("report")):
            return DiffResult(changes=True)
        told, held = _canonical(_news["report"]), _told(_olds)
        is_other = told["stack"] != _id
        return DiffResult(
            changes=is_other or told != held, replaces=["report"] if is_other else [], delete_before_replace=is_other
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Tell. The same again changes nothing, so a run that broke off is simply run again."""
        report = _canonical(props["report"])
        return CreateResult(report["stack"], _tell(report))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look at what is really held; ``props`` is what the state has."""
        del props
        with connect() as inventory:
            view = inventory.stack(id_)
        return ReadResult(None, {}) if view is None else ReadResult(id_, _outputs(view["held"], view))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Tell anew; refused with their list if customers are on what the report has no more."""
        report = _canonical(_news["report"])
        return UpdateResult(_tell(report))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Withdraw it all; refused with their list if customers are on it."""
        with connect() as inventory:
            inventory.withdraw_stack(_id)


def _tell(report: dict[str, Any]) -> dict[str, Any]:
    with connect() as inventory:
        return _outputs(report, inventory.put_stack(report))


def _refusal(report: dict[str, Any]) -> list[CheckFailure]:
    try:
        with connect() as inventory:
            inventory.try_stack(report)
    except InventoryError as error:
        return [CheckFailure("report", str(error))]
    return []


def _canonical(report: Any) -> dict[str, Any]:
    """The report in its one form: between engine and provider, numbers become floats and fields without value go."""
    return parse_report(report).model_dump(mode="json")


def _told(state: dict[str, Any]) -> dict[str, Any] | None:
    """The report in a resource's state, None if it is not one that this version knows."""
    try:
        return _canonical(state.get("report"))
    except ValidationError:
        return None


def _outputs(report: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    return {"report": report, "digest": answer["digest"]}
