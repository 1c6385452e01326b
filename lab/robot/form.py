"""Form-encoded bodies as PHP reads them: ``server[]=1`` is a list, ``rules[input][0][name]=x`` a tree. No I/O."""

import re
from typing import Any
from urllib.parse import parse_qsl

from lab.robot.errors import invalid_input

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")

Form = dict[str, Any]


def parse_form(body: bytes) -> Form:
    """The fields of a body; of a plain name that is given twice the last counts, as in PHP."""
    tree: Form = {}
    for key, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        match = _KEY.fullmatch(key)
        if match is None:
            raise invalid_input(invalid=[key])
        _put(tree, [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])], value)
    return {name: _listed(value) for name, value in tree.items()}


def _put(tree: Form, path: list[str], value: str) -> None:
    for step in path[:-1]:
        name = step or str(len(tree))
        if not isinstance(tree.get(name), dict):
            tree[name] = {}
        tree = tree[name]
    tree[path[-1] or str(len(tree))] = value


def _listed(value: Any) -> Any:
    """Branches whose names are all numbers are lists."""
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(part) for name, part in value.items()}
    return list(inner.values()) if all(name.isdecimal() for name in inner) else inner


def required(form: Form, *names: str) -> list[str]:
    """The values of parameters that must be there.

    Raises:
        ApiError: 400 INVALID_INPUT with the names of those that are missing or empty.
    """
    missing = [name for name in names if form.get(name) in (None, "", [])]
    if missing:
        raise invalid_input(missing=missing)
    return [form[name] for name in names]


def listed(form: Form, name: str) -> list[str]:
    """A parameter that may be one value or several."""
    value = form.get(name, [])
    return value if isinstance(value, list) else [value]


def flag(form: Form, name: str, *, default: bool) -> bool:
    """A parameter that is ``true`` or ``false``."""
    value = form.get(name, str(default).lower())
    if value not in {"true", "false"}:
        raise invalid_input(invalid=[name])
    return bool(value == "true")
