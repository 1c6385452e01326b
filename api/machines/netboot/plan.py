"""The plan that a machine's initrd carries out: lines that a shell can read without evaluating anything."""

import re
from collections.abc import Mapping

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_VALUE = re.compile(r"[A-Za-z0-9._:/@+,-]{0,512}")


def render_plan(values: Mapping[str, str]) -> str:
    """Return the plan's text, a ``name=value`` a line.

    Raises:
        ValueError: if a name or value has a character that a shell could take for more than text. Nothing that a
            customer chooses is ever part of a plan, so this is a fault of ours.
    """
    for name, value in values.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"a plan cannot hold '{name}' with this value")
    return "".join(f"{name}={value}\n" for name, value in values.items())
