"""How a kind of Cloudflare object is described, and what can be said about it without asking Cloudflare."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from dataclasses import field as has
from typing import Any, Literal

from automation.toolchain.plugins.cloudflare.naming import (
    NO_NAMES,
    Names,
    to_properties,
    to_wire,
    to_wire_name,
    whole,
)

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine sends in place of a value that only another resource's creation will tell."""

Properties = dict[str, Any]
ZoneName = Callable[[str], str | None]
"""Gives a zone's name for its id; ``None`` where the token may not read zones."""

Kind = Literal["string", "number", "integer", "boolean", "array", "object", "map", "any", "json"]


@dataclass(frozen=True, slots=True)
class Field:
    """One property.

    Attributes:
        name: in the program's spelling of the schema, such as ``zoneId``.
        kind: its type; ``json`` is an object that the SDK shows as a JSON string, a ``map``'s keys are data.
        use: ``required`` and ``optional`` can be set, ``computed`` is told by Cloudflare.
        replaces: a change needs another object.
        local: never sent nor told back; kept as it was given.
        later: not taken when the object is made, only afterwards.
    """

    name: str
    kind: Kind
    use: Literal["required", "optional", "computed"] = "computed"
    replaces: bool = False
    local: bool = False
    later: bool = False

    @property
    def settable(self) -> bool:
        """Whether programs may set it."""
        return self.use != "computed"


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that cannot be right: the property and the reason, with the fix."""

    property: str
    reason: str


@dataclass(frozen=True, slots=True)
class ResourceModel:
    """A kind of object.

    Attributes:
        token: Pulumi's type token.
        collection: path of the collection; ``{zoneId}`` and the like are filled from the properties.
        parent: the property that the collection's path needs; the import id is then ``PARENT/ID``.
        fields: every property.
        update_method: ``PUT`` writes all of the object, ``PATCH`` one property at a time.
        validate: finds failures beyond presence and names.
        same: whether the declared value of a field means the same as a live one.
        conflict_query: how to look for the object that is already there.
        in_the_way: whether one that was found so is what excludes the declared one.
        names: of members within the properties, see there.
        singleton: the property that is the object's id, for what exists for as long as its parent does: it is made by
            a change and not taken away.
        suffix: what a single object's path ends in.
        import_prefix: what an import id begins with.
        is_gone: whether an answer is about something that is there no more.
    """

    token: str
    collection: str
    fields: tuple[Field, ...]
    update_method: Literal["PUT", "PATCH"]
    parent: str | None = None
    validate: Callable[[Properties], list[Failure]] = lambda _: []
    same: Callable[[str, Properties, Any, ZoneName], bool] = lambda name, declared, live, _: declared[name] == live
    conflict_query: Callable[[Properties], Mapping[str, str]] = lambda _: {}
    in_the_way: Callable[[Properties, Mapping[str, Any]], bool] = lambda _, __: True
    names: Names = has(default_factory=lambda: NO_NAMES)
    singleton: str | None = None
    suffix: str = ""
    import_prefix: str = ""
    is_gone: Callable[[Mapping[str, Any]], bool] = lambda _: False

    @property
    def inputs(self) -> tuple[Field, ...]:
        """Properties that programs may set."""
        return tuple(field for field in self.fields if field.settable)

    def path(self, properties: Properties, resource_id: str | None = None) -> str:
        """Path of the collection or of one object in it."""
        collection = self.collection.format_map(properties)
        return f"{collection}/{resource_id}{self.suffix}" if resource_id else collection

    def check(self, inputs: Properties) -> list[Failure]:
        """What is wrong with the inputs; values still unknown are given the benefit of the doubt."""
        known = {field.name for field in self.inputs}
        failures = [
            Failure(name, f"{self.token} has no such input; it has {', '.join(sorted(known))}")
            for name in inputs
            if name not in known and not name.startswith("__")
        ]
        failures += [
            Failure(field.name, "is required: give it a value")
            for field in self.inputs
            if field.use == "required" and inputs.get(field.name) in (None, "")
        ]
        return failures or self.validate({name: value for name, value in inputs.items() if value != UNKNOWN})

    def changes(self, old: Properties, new: Properties, zone_name: ZoneName) -> tuple[list[str], list[str]]:
        """Names of the inputs that change, and of those among them that need another object."""
        changed = []
        for field in self.inputs:
            before, after = old.get(field.name), new.get(field.name)
            both = before is not None and after is not None
            if before != after and not (both and self.same(field.name, new, before, zone_name)):
                changed.append(field)
        return [field.name for field in changed], [field.name for field in changed if field.replaces]

    def planned(self, inputs: Properties) -> Properties:
        """The properties that a creation or change would give, as far as they are known before it."""
        return {field.name: inputs.get(field.name, UNKNOWN) for field in self.fields}

    def outputs(self, answer: Mapping[str, Any], declared: Properties, zone_name: ZoneName) -> Properties:
        """The properties of an object.

        A declared value stays as it was written where the live one means the same, so that no change is seen where
        there is none (Cloudflare answers ``www`` with the full name, for one).
        """
        found: Properties = {}
        for field in self.fields:
            live = answer.get(to_wire_name(field.name))
            value = live = self._property(field, live)
            if field.name in declared and (field.local or self.same(field.name, declared, live, zone_name)):
                value = declared[field.name]
            if value is not None:
                found[field.name] = value
        return found

    def _property(self, field: Field, live: Any) -> Any:
        if field.kind == "json":
            return json.dumps(live, sort_keys=True) if live is not None else None
        return live if field.kind in {"map", "any"} else to_properties(live, self.names)

    def body(self, inputs: Properties, only: Collection[str] | None = None) -> Properties:
        """What is sent: the inputs under Cloudflare's names; those named in ``only`` even where they are not set."""
        sent = [field for field in self.inputs if not field.local]
        chosen = [field for field in sent if field.name in (inputs if only is None else only)]
        return {
            to_wire_name(field.name): (
                whole(inputs.get(field.name))
                if field.kind in {"map", "any"}
                else to_wire(inputs.get(field.name), self.names)
            )
            for field in chosen
        }

    def inputs_of(self, outputs: Properties, declared: Properties) -> Properties:
        """The inputs that the live object amounts to: those declared before, or all of an imported object."""
        wanted = {field.name for field in self.inputs if field.name in declared or not declared}
        return {
            name: _like(declared.get(name), value) for name, value in outputs.items() if name in wanted and value != []
        }


def _like(declared: Any, live: Any) -> Any:
    """``live``, without the members that ``declared`` does not speak of."""
    if isinstance(declared, dict) and isinstance(live, dict):
        return {key: live[key] for key in declared if key in live}
    return live
