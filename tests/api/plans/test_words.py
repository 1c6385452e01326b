"""What a plan says to a customer."""

from typing import Any

from api.plans.document import PlanDocument
from api.plans.words import describe, monthly

VM, RECORD = "proxmoxve:index/vmLegacy:VmLegacy", "cloudflare:index/dnsRecord:DnsRecord"


def _say(*steps: dict[str, Any], price: str | None = None) -> str:
    numbered = [{"urn": f"urn:{number}", **step} for number, step in enumerate(steps)]
    return describe(PlanDocument.of(numbered), "Falkenstein node 3", price)


def test_a_new_machine_with_its_records_and_price() -> None:
    """The sentence that a quote shows."""
    said = _say(
        {"type": VM, "op": "create", "name": "web", "inputs": {"cpu": {"cores": 2}}},
        {"type": RECORD, "op": "create"},
        {"type": RECORD, "op": "create"},
        price=monthly(790, "eur"),
    )
    assert said == ("a new virtual machine with 2 cores on Falkenstein node 3; two new DNS records; EUR 7.90 a month")


def test_a_machine_of_ones_own_is_told_as_a_customer_sees_it() -> None:
    """Ordered, installed anew, switched off, given back."""
    ours = "pulumi-python:dynamic/slipway:"
    order = [{"type": f"{ours}{kind}", "op": "create"} for kind in ("MachineClaim", "Wipe", "BootProfile")]
    assert _say(*order) == "a new dedicated machine; a wipe of all disks at the end; a new boot profile"
    image = {"path": "image", "kind": "changed", "before": "debian-12", "after": "ubuntu-24.04"}
    started = {"path": "started", "kind": "changed", "before": True, "after": False}
    installation = {"type": f"{ours}Installation", "op": "update", "name": "dl-1"}
    assert _say({**installation, "changes": [image]}) == (
        "installation dl-1 made anew (what was there is lost) (image: debian-12 to ubuntu-24.04)"
    )
    assert _say({**installation, "changes": [started]}) == "installation dl-1 changed (started: on to off)"
    end = [{"type": f"{ours}{kind}", "op": "delete"} for kind in ("Installation", "Wipe", "MachineClaim")]
    assert _say(*end) == (
        "the machine switched off; all disks wiped (what they hold is lost); the dedicated machine given back"
    )


def test_one_core_is_not_cores() -> None:
    """Grammar is trust."""
    assert "with 1 core on" in _say({"type": VM, "op": "create", "inputs": {"cpu": {"cores": 1}}})


def test_a_change_is_told_by_its_properties() -> None:
    """Three of them; the rest is in the diff."""
    changes = [{"path": f"p{number}", "kind": "changed", "before": number, "after": "x" * 50} for number in range(5)]
    said = _say({"type": VM, "op": "update", "name": "web", "changes": changes})
    assert said.startswith("virtual machine web changed (p0: 0 to xxxxx")
    assert said.endswith("and 2 more)")


def test_a_switch_is_on_or_off() -> None:
    """Nobody but us says true."""
    change = {"path": "macfilter", "kind": "changed", "before": False, "after": True}
    assert "(macfilter: off to on)" in _say({"type": VM, "op": "update", "name": "web", "changes": [change]})


def test_a_replacement_says_what_is_lost() -> None:
    """The one word nobody must overlook."""
    assert "what it holds is lost" in _say({"type": VM, "op": "replace", "name": "web"})


def test_nothing_to_change() -> None:
    """Resources that stay are not worth a word."""
    assert _say({"type": VM, "op": "same"}) == "nothing to change"


def test_a_resource_without_a_word_of_ours_is_called_by_its_type() -> None:
    """A type that is added later is told nonetheless."""
    assert _say({"type": "x:y:Volume", "op": "delete", "name": "data"}) == "Volume data removed"


def test_a_firewall_is_one_thing() -> None:
    """Options, rules and address filter are our affair."""
    parts = ("OptionsLegacy", "RulesLegacy", "IpsetLegacy")
    assert _say(*({"type": f"x:y:{part}", "op": "create"} for part in parts)) == "a new firewall"
    assert _say(*({"type": f"x:y:{part}", "op": "update"} for part in parts)) == "firewall changed"
