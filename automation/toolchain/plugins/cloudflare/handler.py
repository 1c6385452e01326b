"""What is done to one object of a kind: made, read, changed, deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automation.toolchain.plugins.cloudflare.client import CloudflareClient, CloudflareError
from automation.toolchain.plugins.cloudflare.model import Properties, ResourceModel


@dataclass(frozen=True, slots=True)
class Found:
    """An object read: its id, properties and the inputs that these amount to."""

    id: str
    outputs: Properties
    inputs: Properties


@dataclass(frozen=True, slots=True)
class ResourceHandler:
    """Carries out the engine's requests for one kind of object; every method may block.

    Attributes:
        model: the kind.
        client: the API.
    """

    model: ResourceModel
    client: CloudflareClient

    def create(self, inputs: Properties) -> tuple[str, Properties]:
        """Make the object; returns its id and properties.

        Raises:
            CloudflareError: refused; where such an object is there already, the message names it and the ways out.
        """
        if self.model.singleton is not None:
            resource_id = str(inputs[self.model.singleton])
            path = self.model.path(inputs, resource_id)
            answer = self.client.call(self.model.update_method, path, self.model.body(inputs))
            return resource_id, self.model.outputs(answer, inputs, self.zone_name)
        later = {field.name for field in self.model.inputs if field.later}
        at_once = {name: value for name, value in inputs.items() if name not in later}
        try:
            answer = self.client.call("POST", self.model.path(inputs), self.model.body(at_once))
        except CloudflareError as error:
            if error.is_conflict:
                raise self._conflict(inputs, error) from error
            if not error.is_uncertain:
                raise
            answer = self._made_all_the_same(at_once, error)
        resource_id = str(answer["id"])
        outputs = self.model.outputs(answer, at_once, self.zone_name)
        if later & inputs.keys():
            outputs = self._complete(resource_id, outputs, inputs)
        return resource_id, outputs

    def _made_all_the_same(self, inputs: Properties, error: CloudflareError) -> Mapping[str, Any]:
        """What a creation made whose answer was lost: the one object that is just as declared; else the error.

        One that was there before is refused as a conflict, so it is what was made just now.
        """
        try:
            listed = self.client.call("GET", self.model.path(inputs), query=self.model.conflict_query(inputs)) or []
            there = [item for item in listed if self.model.in_the_way(inputs, item)]
            whole = [self.client.call("GET", self.model.path(inputs, str(item["id"]))) for item in there]
        except CloudflareError:
            raise error from None
        same: list[Mapping[str, Any]] = [item for item in whole if self._is_as_declared(item, inputs)]
        if len(same) != 1:
            raise error
        return same[0]

    def _is_as_declared(self, answer: Mapping[str, Any], inputs: Properties) -> bool:
        outputs = self.model.outputs(answer, inputs, self.zone_name)
        return all(outputs.get(name) == value for name, value in inputs.items())

    def _complete(self, resource_id: str, outputs: Properties, inputs: Properties) -> Properties:
        """Set what could not be set at once; a failure must not lose sight of the object."""
        try:
            return self.update(resource_id, outputs, inputs)
        except CloudflareError as error:
            advice = f"It was made, with the import id {resource_id}, but not finished: import or remove it."
            raise CloudflareError(f"{error} {advice}", error.status, error.codes) from error

    def read(self, resource_id: str, state: Properties, inputs: Properties) -> Found | None:
        """The object as it is, or ``None`` if it is gone.

        Args:
            resource_id: the id, or ``PARENT/ID`` for an object to import.
            state: its properties as last known, empty for an object to import.
            inputs: as last declared.

        Raises:
            CloudflareError: refused, or the id has the wrong form.
        """
        if not state:
            state, resource_id = self._import_id(resource_id)
        try:
            answer = self.client.call("GET", self.model.path(state, resource_id))
        except CloudflareError as error:
            if error.is_absence:
                return None
            raise
        if self.model.is_gone(answer):
            return None
        outputs = self.model.outputs(answer, {**state, **inputs} if inputs else state, self.zone_name)
        found_id = resource_id if self.model.singleton is not None else str(answer["id"])
        return Found(found_id, outputs, self.model.inputs_of(outputs, inputs))

    def update(self, resource_id: str, old: Properties, new: Properties) -> Properties:
        """Change the object in place; returns its properties.

        Args:
            resource_id: the id.
            old: the inputs so far.
            new: the inputs from now on.
        """
        path = self.model.path(new, resource_id)
        if self.model.update_method == "PUT":
            answer = self.client.call("PUT", path, self.model.body(new))
        else:
            changed, _ = self.model.changes(old, new, self.zone_name)
            answers = [self.client.call("PATCH", path, self.model.body(new, [name])) for name in changed]
            answer = answers[-1] if answers else self.client.call("GET", path)
        return self.model.outputs(answer, new, self.zone_name)

    def delete(self, resource_id: str, state: Properties) -> None:
        """Take the object away; one that is gone already is as good, and what goes with its parent stays till then."""
        if self.model.singleton is not None:
            return
        try:
            self.client.call("DELETE", self.model.path(state, resource_id))
        except CloudflareError as error:
            if not error.is_absence:
                raise

    def zone_name(self, zone_id: str) -> str | None:
        """The zone's name; asked for only where a record's name is declared without it."""
        try:
            return str(self.client.call("GET", f"/zones/{zone_id}")["name"])
        except CloudflareError:
            return None

    def _import_id(self, given: str) -> tuple[Properties, str]:
        if self.model.parent is None:
            return {}, given
        parent, separator, resource_id = given.removeprefix(self.model.import_prefix).partition("/")
        if not (parent and separator and resource_id) or "/" in resource_id:
            form = f"{self.model.import_prefix}<{self.model.parent}>/<id>"
            raise CloudflareError(f"{given!r} is no import id of {self.model.token}: give {form}")
        singleton = {self.model.singleton: resource_id} if self.model.singleton is not None else {}
        return {self.model.parent: parent, **singleton}, resource_id

    def _conflict(self, inputs: Properties, error: CloudflareError) -> CloudflareError:
        """Say which object is in the way; an error of the look-up must not hide the first one."""
        advice = "import it or remove it"
        try:
            there = self.client.call("GET", self.model.path(inputs), query=self.model.conflict_query(inputs)) or []
            found = [self._describe(inputs, item) for item in there if self.model.in_the_way(inputs, item)]
            advice = "; ".join(found) or advice
        except CloudflareError:
            pass
        return CloudflareError(f"It exists already: {error} Import what is there, or remove it first: {advice}", 409)

    def _describe(self, inputs: Properties, item: Mapping[str, Any]) -> str:
        prefix = f"{self.model.import_prefix}{inputs.get(self.model.parent)}/" if self.model.parent else ""
        return f"{item.get('type', '')} {item.get('name')}, import id {prefix}{item.get('id')}".strip()
