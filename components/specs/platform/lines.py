"""Says what is wrong with a configuration in YAML, by line and key. Pure."""

from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import ValidationError


class YamlLines:
    """The lines of a YAML document, by key."""

    def __init__(self, text: str | None, root: Sequence[str | int] = (), source: str = "", shown: str = "") -> None:
        """Know a document.

        Args:
            text: the document; None where there is none: then keys are told without a line.
            root: where in the document the configuration is.
            source: the document's name, told before each line's number.
            shown: how the root is told before a key, such as ``slipway:spec.``.
        """
        self._node = None if text is None else yaml.compose(text, Loader=yaml.SafeLoader)
        self._root = tuple(root)
        self._source = source
        self._shown = shown

    def problems(self, error: ValidationError) -> list[str]:
        """Return each problem as a line: ``Pulumi.lab-network.yaml:12: slipway:spec.subnets.0.cidr: …``."""
        return [self._describe(item["loc"], item["msg"]) for item in error.errors(include_input=False)]

    def _describe(self, place: tuple[str | int, ...], problem: str) -> str:
        key = f"{self._shown}{'.'.join(map(str, place))}".rstrip(".")
        line = self._line((*self._root, *place))
        where = "" if line is None else f"{self._source}:{line}: " if self._source else f"line {line}: "
        return f"{where}{key + ': ' if key else ''}{problem.removeprefix('Value error, ')}"

    def _line(self, path: tuple[str | int, ...]) -> int | None:
        """The line of the deepest part of ``path`` that the document has; a missing key is shown at its parent."""
        node, line = self._node, None
        for part in path:
            step = _child(node, part)
            if step is None:
                break
            key, node = step
            line = int(key.start_mark.line) + 1
        return line


def _child(node: Any, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The node of a key (or of a list's place) and of its value."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None
