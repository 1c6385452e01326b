"""Reads a platform stack's configuration; an error names the file, the line and the key, before anything exists."""

from pathlib import Path
from typing import Any

import pulumi
import yaml
from pydantic import ValidationError

from components.specs.platform import PlatformSpec

NAMESPACE, SPEC_KEY = "slipway", "spec"
_ROOT = (f"{NAMESPACE}:{SPEC_KEY}",)


class ConfigurationError(pulumi.RunError):
    """A stack's configuration is missing or wrong; the message says where and what to do."""


def parse_spec(model: type[PlatformSpec], document: Any, file: Path | None = None) -> PlatformSpec:
    """Hold a configuration against its model.

    Args:
        model: the spec of the stack's kind.
        document: the value of ``slipway:spec``.
        file: the stack's YAML file, if there is one, for the lines.

    Raises:
        ConfigurationError: names each wrong key, and its line where it is known.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        lines = _Lines(file)
        problems = [lines.describe(item["loc"], item["msg"]) for item in error.errors(include_input=False)]
        raise ConfigurationError("the stack's configuration is wrong:\n" + "\n".join(problems)) from None


class _Lines:
    """The lines of a YAML file, by key."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._root: yaml.Node | None = None
        if file is not None and file.is_file():
            self._root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)

    def describe(self, place: tuple[str | int, ...], problem: str) -> str:
        """One problem as a line: ``Pulumi.lab-network.yaml:12: slipway:spec.subnets.0.cidr: …``."""
        key = ".".join(map(str, (*_ROOT, *place)))
        line = self._line(("config", *_ROOT, *place))
        where = f"{self._file.name}:{line}: " if self._file is not None and line is not None else ""
        return f"  {where}{key}: {problem.removeprefix('Value error, ')}"

    def _line(self, path: tuple[str | int, ...]) -> int | None:
        """The line of the deepest part of ``path`` that the file has; a missing key is shown at its parent."""
        node, line = self._root, None
        for part in path:
            step = _child(node, part)
            if step is None:
                break
            key, node = step
            line = int(key.start_mark.line) + 1
        return line


def _child(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The node of a key (or of a list's place) and of its value."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None
