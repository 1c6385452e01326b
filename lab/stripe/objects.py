"""What the added resources share: parameter errors, listing newest first, updates in Stripe's types."""

from typing import Any

from localstripe.errors import UserError
from localstripe.resources import (
    Event,
    List,
    StripeObject,
    store,
    try_convert_to_bool,
    try_convert_to_int,
)

MOST_A_PAGE = 100


def refuse(param: str, message: str, code: str | None = None) -> UserError:
    """Stripe's 400 for a parameter: the message, ``param`` and, where Stripe has one, ``code``."""
    contents = {"param": param} | ({"code": code} if code else {})
    return UserError(400, message, contents)


def refuse_unknown(given: dict[str, Any]) -> None:
    """Refuse parameters that the resource does not have, as Stripe does."""
    for name in given:
        raise refuse(name, f"Received unknown parameter: {name}", "parameter_unknown")


def missing(kind: str, number: str) -> UserError:
    """Stripe's 404 for an object that is not there."""
    message = f"No such {kind}: '{number}'"
    return UserError(404, message, {"code": "resource_missing", "param": "id"})


def whole_number(param: str, value: Any, *, least: int = 0) -> int:
    """An integer parameter, which comes as text from a form."""
    number = try_convert_to_int(value)
    if not isinstance(number, int) or isinstance(number, bool):
        raise refuse(param, f"Invalid integer: {value}", "parameter_invalid_integer")
    if number < least:
        raise refuse(param, f"Invalid {param}: must be at least {least}", "parameter_invalid_integer")
    return number


def text_map(param: str, value: Any) -> dict[str, str]:
    """Metadata: at most 50 keys of 40 characters, values of 500 (Stripe's documented limits)."""
    if value in (None, ""):
        return {}
    if not isinstance(value, dict) or len(value) > 50:  # noqa: PLR2004 - Stripe's limit, named in the docstring
        raise refuse(param, f"Invalid {param}: must be a set of at most 50 keys")
    if any(len(str(key)) > 40 or len(str(item)) > 500 for key, item in value.items()):  # noqa: PLR2004 - as above
        raise refuse(param, f"Invalid {param}: keys may have 40 characters, values 500")
    return {str(key): str(item) for key, item in value.items()}


class Resource(StripeObject):  # type: ignore[misc] # localstripe ships no type information
    """A resource with Stripe's listing (newest first, both cursors) and typed updates."""

    object = "resource"
    _changeable: frozenset[str] = frozenset({"metadata"})
    metadata: dict[str, str]

    @classmethod
    def _api_retrieve(cls, id: str) -> Any:  # noqa: A002 - localstripe's own signature
        found = store.get(f"{cls.object}:{id}")
        if found is None:
            raise missing(cls.object, id)
        return found

    def _update(self, **data: Any) -> None:
        refuse_unknown({key: value for key, value in data.items() if key not in self._changeable})
        changes = text_map("metadata", data.pop("metadata", None))
        kept = {**self.metadata, **changes}
        self.metadata = {key: value for key, value in kept.items() if value != ""}
        for key, value in data.items():
            setattr(self, key, try_convert_to_bool(value))

    @classmethod
    def _matches(cls, item: Any, filters: dict[str, Any]) -> bool:
        """Whether an object passes the list's filters: equality, or ``created[gt|gte|lt|lte]``."""
        return all(_passes(getattr(item, name, None), wanted) for name, wanted in filters.items())

    @classmethod
    def _api_list_all(
        cls,
        url: str,
        limit: Any = 10,
        starting_after: str | None = None,
        ending_before: str | None = None,
        **filters: Any,
    ) -> Any:
        size = whole_number("limit", limit, least=1)
        if size > MOST_A_PAGE:
            raise refuse("limit", "This value must be less than or equal to 100 (it currently is over).")
        found = [item for key, item in store.items() if key.startswith(f"{cls.object}:")]
        newest_first = [item for item in reversed(found) if cls._matches(item, filters)]
        if ending_before is not None:
            position = _position(newest_first, ending_before)
            newest_first = newest_first[max(0, position - size) : position]
        listing = List(url, limit=size, starting_after=starting_after)
        listing._list = newest_first
        return listing


def _position(items: list[Any], number: str) -> int:
    return next((index for index, item in enumerate(items) if item.id == number), 0)


def _passes(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        bounds = {name: whole_number(name, bound) for name, bound in wanted.items()}
        checks = {"gt": value.__gt__, "gte": value.__ge__, "lt": value.__lt__, "lte": value.__le__}
        return all(name in checks and checks[name](bound) for name, bound in bounds.items())
    if isinstance(wanted, list):
        return value in wanted
    return bool(value == try_convert_to_bool(wanted))


class LabEvent(Resource):
    """How events are listed: newest first, by ``type``, ``types`` or ``created``. Made by localstripe itself."""

    object = Event.object

    @classmethod
    def _matches(cls, item: Any, filters: dict[str, Any]) -> bool:
        known = dict(filters)
        types = known.pop("types", None)
        return (types is None or item.type in types) and super()._matches(item, known)
