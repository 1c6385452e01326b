"""The provider plugins speak of the same resources, by the same names, as the Python SDKs that programs use.

Where a plugin was built here, from its upstream's code, this is what makes it stand for the official one.
"""

import importlib
import inspect
import json
import pkgutil
import re
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pulumi
import pytest
from pulumi._types import input_type_py_to_pulumi_names

from automation.toolchain import Toolchain

pytestmark = pytest.mark.engine

PROVIDERS = ("hcloud", "proxmoxve")

# What the SDK has and the newest upstream version that can be built has not: a load balancer's own Primary IPs, and
# the list of what is attached to a network. The official plugin, where it is installed, has them.
PROPERTIES_NOT_IN_UPSTREAM = {"hcloud:index/loadBalancer:LoadBalancer": {"ipv4Id", "ipv6Id"}}
FUNCTIONS_NOT_IN_UPSTREAM = {"hcloud:index/getNetworkMembers:getNetworkMembers"}

Schemas = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="session")
def schemas(engine_toolchain: Toolchain) -> Schemas:
    """Asks a plugin, through the CLI, for its schema."""

    @cache
    def ask(provider: str) -> dict[str, Any]:
        command = [str(engine_toolchain.pulumi), "package", "get-schema", provider]
        answer = subprocess.run(
            command, env=engine_toolchain.environment(), capture_output=True, text=True, check=False, timeout=120
        )
        assert answer.returncode == 0, answer.stderr
        schema: dict[str, Any] = json.loads(answer.stdout)
        return schema

    return ask


def modules_of(provider: str) -> Iterator[ModuleType]:
    """Every module of a provider's SDK."""
    package = importlib.import_module(f"pulumi_{provider}")
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)


@cache
def resources_of(provider: str) -> dict[str, type[pulumi.CustomResource]]:
    """The SDK's resource classes by type token, without the provider itself."""
    return {
        str(getattr(member, "pulumi_type", "")): member
        for module in modules_of(provider)
        for member in vars(module).values()
        if inspect.isclass(member)
        and issubclass(member, pulumi.CustomResource)
        and str(getattr(member, "pulumi_type", "pulumi:")).startswith(f"{provider}:")
    }


def outputs_of(resource: type[pulumi.CustomResource]) -> set[str]:
    """Names of a resource's properties, as they travel."""
    getters = (member.fget for member in vars(resource).values() if isinstance(member, property))
    return {str(getattr(getter, "_pulumi_name", None) or getattr(getter, "__name__", "")) for getter in getters}


def inputs_of(resource: type[pulumi.CustomResource]) -> set[str]:
    """Names of a resource's inputs, as they travel."""
    module, name = inspect.getmodule(resource), resource.__name__
    # The second where a nested type has taken the first name.
    arguments = getattr(module, f"{name}Args", None) or getattr(module, f"{name}InitArgs")
    return set(input_type_py_to_pulumi_names(arguments).values())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_resource_of_the_sdk_is_served_and_no_other(provider: str, schemas: Schemas) -> None:
    """By its type token."""
    assert set(schemas(provider)["resources"]) == set(resources_of(provider))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_function_of_the_sdk_is_served_and_no_other(provider: str, schemas: Schemas) -> None:
    """By its token, which the SDK's code holds as a string."""
    package = importlib.import_module(f"pulumi_{provider}")
    texts = (path.read_text("utf-8") for path in Path(str(package.__file__)).parent.rglob("*.py"))
    tokens = {token for text in texts for token in re.findall(r"runtime\.invoke\w*\('([^']+)'", text)}
    # A method of the provider itself, not of the upstream's: bridged plugins add it to any schema.
    served = {token for token in schemas(provider)["functions"] if not token.startswith("pulumi:")}
    assert served ^ tokens <= FUNCTIONS_NOT_IN_UPSTREAM


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_resource_has_the_properties_and_inputs_of_the_sdk(provider: str, schemas: Schemas) -> None:
    """No more and no fewer; all differences are shown at once."""
    differences = {}
    for token, resource in resources_of(provider).items():
        schema, lacking = schemas(provider)["resources"][token], PROPERTIES_NOT_IN_UPSTREAM.get(token, set())
        outputs = (set(schema.get("properties", {})) ^ outputs_of(resource)) - lacking
        inputs = (set(schema.get("inputProperties", {})) ^ inputs_of(resource)) - lacking
        if outputs or inputs:
            differences[token] = (outputs, inputs)
    assert differences == {}


def type_key(token: str) -> tuple[str, str]:
    """Of ``PKG:a/b/type:Type`` the module, ``a.b`` (empty for ``index``), and the name in lower case."""
    place, _, name = token.partition(":")[2].rpartition(":")
    module = place.rpartition("/")[0].replace("/", ".")
    return "" if module == "index" else module, name.lower()


def module_key(module: ModuleType) -> str:
    """Of ``pulumi_PKG.a.b._inputs`` the same module."""
    return module.__name__.partition(".")[2].removesuffix("_inputs").rstrip(".")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_nested_input_has_the_members_of_the_sdk(provider: str, schemas: Schemas) -> None:
    """A disk of a machine, say: the SDK has a class for each."""
    served = {
        type_key(token): set(kind["properties"])
        for token, kind in schemas(provider)["types"].items()
        if "properties" in kind
    }
    declared = {
        (module_key(module), name): members
        for module in modules_of(provider)
        if module.__name__.endswith("._inputs")
        for name, members in argument_classes(module)
    }
    assert {
        key: members ^ served.get(key, set()) for key, members in declared.items() if served.get(key) != members
    } == {}


def argument_classes(module: ModuleType) -> Iterator[tuple[str, set[str]]]:
    """The classes of nested inputs: name in lower case without its ending, and the members' names."""
    for name, member in vars(module).items():
        if name.endswith("Args") and not name.startswith("_"):
            yield name.removesuffix("Args").lower(), set(input_type_py_to_pulumi_names(member).values())
