"""The plan document: what it does, what it would destroy, and what is the rest of it."""

from typing import Any

import pytest

from api.plans.document import PlanDocument, StepOp

VM = {"urn": "urn:vm", "type": "proxmoxve:index/vmLegacy:VmLegacy", "inputs": {"vmId": 100001}}
RECORD = {"urn": "urn:record", "type": "cloudflare:index/dnsRecord:DnsRecord", "inputs": {"content": "192.0.2.1"}}


def _plan(*steps: dict[str, Any]) -> PlanDocument:
    return PlanDocument.of(steps)


@pytest.mark.parametrize(
    ("step", "destroys"),
    [
        ({**VM, "op": "replace"}, True),
        ({**VM, "op": "delete"}, True),
        ({**VM, "op": "update"}, False),
        ({**RECORD, "op": "delete"}, False),
        ({**RECORD, "op": "replace"}, False),
    ],
)
def test_only_a_disk_that_goes_destroys_data(step: dict[str, Any], destroys: bool) -> None:  # noqa: FBT001 - a table
    """A record can be written again, a customer's disk cannot."""
    assert _plan(step).destroys_data is destroys


def test_steps_that_change_nothing_are_counted_and_not_told() -> None:
    """A preview right after an ``up`` has nothing but those."""
    plan = _plan({**VM, "op": "same"}, {**RECORD, "op": "update"})
    assert [step.op for step in plan.changing] == [StepOp.UPDATE]
    assert plan.counts() == {"same": 1, "update": 1}


class TestContinues:
    APPROVED = _plan({**VM, "op": "create"}, {**RECORD, "op": "create"})

    def test_what_is_left_of_it(self) -> None:
        """The machine is there, the record is still to be made."""
        assert _plan({**VM, "op": "same"}, {**RECORD, "op": "create"}).continues(self.APPROVED)

    def test_a_creation_that_got_half_way_is_finished_by_an_update(self) -> None:
        """To the same inputs."""
        assert _plan({**VM, "op": "update"}, {**RECORD, "op": "create"}).continues(self.APPROVED)

    @pytest.mark.parametrize(
        "step",
        [
            {**VM, "op": "create", "inputs": {"vmId": 100002}},
            {**VM, "op": "replace"},
            {**VM, "op": "delete"},
            {**VM, "op": "create", "urn": "urn:other"},
        ],
    )
    def test_anything_new_is_not_the_rest(self, step: dict[str, Any]) -> None:
        """What nobody saw, nobody approved."""
        assert not _plan(step).continues(self.APPROVED)
