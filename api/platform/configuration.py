"""A platform stack's configuration as people write it: YAML in, a checked document out, and back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from api.errors import InvalidInput
from components.specs.platform import PlatformKind, PlatformSpec, parse_platform_stack
from components.specs.platform.kinds import spec_models
from components.specs.platform.lines import YamlLines


class ConfigurationWrong(InvalidInput):
    """A configuration cannot be meant; ``problems`` names each line and key."""

    code = "configuration_wrong"
    title = "The configuration is wrong"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems), problems=problems)


@dataclass(frozen=True, slots=True)
class Configurations:
    """Checks configurations of the kinds of stack that there are."""

    kinds: Mapping[PlatformKind, type[PlatformSpec]]

    def parse(self, stack: str, text: str) -> dict[str, Any]:
        """Return the whole configuration that YAML describes, as JSON has it.

        Raises:
            InvalidInput: if no stack of ours has this name.
            ConfigurationWrong: if it is no YAML, or not a configuration of this kind; names lines and keys.
        """
        model = self._model(stack)
        document = _load(text)
        try:
            return model.model_validate(document).model_dump(mode="json")
        except ValidationError as error:
            raise ConfigurationWrong(YamlLines(text).problems(error)) from None

    def check(self, stack: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return a configuration whole, as ``parse`` does.

        Raises:
            InvalidInput: if no stack of ours has this name.
            ConfigurationWrong: if it does not fit the kind; names the keys.
        """
        try:
            return self._model(stack).model_validate(document).model_dump(mode="json")
        except ValidationError as error:
            raise ConfigurationWrong(YamlLines(None).problems(error)) from None

    def write(self, stack: str, document: Mapping[str, Any]) -> str:
        """Return a configuration as YAML, without what is as it is by default; one that is out of date is whole."""
        try:
            document = self._model(stack).model_validate(document).model_dump(mode="json", exclude_defaults=True)
        except (InvalidInput, ValidationError):
            document = dict(document)
        return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100) if document else ""

    def _model(self, stack: str) -> type[PlatformSpec]:
        named = parse_platform_stack(stack)
        if named is None or named[1] not in self.kinds:
            known = ", ".join(self.kinds) or "none yet"
            raise InvalidInput(
                f"'stack': '{stack}' is no platform stack: name it after its estate and a kind ({known}), "
                "such as 'lab-network'"
            )
        return self.kinds[named[1]]


def get_configurations() -> Configurations:
    """Return the kinds that this release knows."""
    return Configurations(spec_models())


def _load(text: str) -> Any:
    """Read YAML without aliases: a few lines of them can stand for a document of any size."""
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader)):
            raise ConfigurationWrong(["aliases (*name) are not understood here: write the value out"])
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f"line {error.problem_mark.line + 1}: "
        raise ConfigurationWrong([f"{line}this is no YAML: {error.problem or error.context}"]) from None
    except yaml.YAMLError:
        raise ConfigurationWrong(["this is no YAML: it holds characters that are not allowed"]) from None
