"""Reads a platform stack's configuration; an error names the file, the line and the key, before anything exists."""

from pathlib import Path
from typing import Any

import pulumi
from pydantic import ValidationError

from components.specs.platform import PlatformSpec
from components.specs.platform.lines import YamlLines

NAMESPACE, SPEC_KEY = "slipway", "spec"
_ROOT = f"{NAMESPACE}:{SPEC_KEY}"


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
        text = file.read_text(encoding="utf-8") if file is not None and file.is_file() else None
        lines = YamlLines(text, ("config", _ROOT), "" if file is None else file.name, f"{_ROOT}.")
        problems = "\n".join(f"  {problem}" for problem in lines.problems(error))
        raise ConfigurationError(f"the stack's configuration is wrong:\n{problems}") from None
