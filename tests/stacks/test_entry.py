"""Choosing a stack's program."""

import json

import pulumi
import pytest

from stacks.entry import choose_program
from stacks.workload.program import WorkloadProgram
from tests.fakes.workload_specs import bot

DOCUMENT = bot().model_dump_json()


def test_a_workload_stack_gets_the_workload_program() -> None:
    """An engineer can preview a customer's stack by hand from its spec."""
    assert isinstance(choose_program("w-019a", DOCUMENT), WorkloadProgram)


def test_an_unknown_stack_name_is_refused_with_the_names_that_exist() -> None:
    """A typing error must not preview an empty program, which would read as 'delete everything'."""
    with pytest.raises(pulumi.RunError, match=r"no program belongs to the stack 'dev'.*'w-'"):
        choose_program("dev", DOCUMENT)


def test_a_missing_spec_names_the_command_that_sets_it() -> None:
    """The message is the fix."""
    with pytest.raises(pulumi.RunError, match="pulumi config set slipway:spec"):
        choose_program("w-019a", None)


def test_a_spec_that_is_not_json_is_refused() -> None:
    """The message says where the text stops being JSON."""
    with pytest.raises(pulumi.RunError, match=r"'slipway:spec' of the stack 'w-019a' is not JSON: .*line 1 column 2"):
        choose_program("w-019a", "{spec}")


def test_a_wrong_field_is_named() -> None:
    """The message names each field that is wrong."""
    document = json.loads(DOCUMENT)
    document["resources"]["cores"] = 0
    with pytest.raises(pulumi.RunError, match=r"bot\.resources\.cores: Input should be greater than or equal to 1"):
        choose_program("w-019a", json.dumps(document))
