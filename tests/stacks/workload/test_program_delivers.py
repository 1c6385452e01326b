"""Every kind of workload on the real engine and plugins: what is there once it is delivered.

The lab plays Proxmox VE and Cloudflare.
"""

import json
from collections.abc import Iterator

import pytest

from automation.toolchain import Toolchain
from components.specs import link_local_address
from lab.client import RunningLab
from tests.fakes.workload_specs import ORDER_ID
from tests.fixtures.delivered_workload import Delivered, delivered_workload
from tests.fixtures.lab_workloads import KINDS, credentials

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", params=KINDS)
def delivered(
    request: pytest.FixtureRequest,
    lab_process: RunningLab,
    toolchain: Toolchain,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Delivered]:
    """Return a delivered workload of each kind, which the tests of this module read and do not change."""
    lab_process.faults.heal()
    lab_process.faults.reset()
    with delivered_workload(request.param, lab_process, toolchain, tmp_path_factory.mktemp("stack")) as workload:
        yield workload


class TestDelivered:
    def test_the_guest_is_the_one_ordered(self, delivered: Delivered) -> None:
        """Node, VMID, name, tags, size and MAC address in Proxmox VE are those of the order, and it runs."""
        spec = delivered.spec
        guest = delivered.lab.truth.guest(spec.placement.vmid)

        assert guest is not None
        assert (guest.node, guest.name, guest.status) == (spec.placement.node, spec.hostname, "running")
        assert guest.tags == (f"order-{ORDER_ID}", "slipway")
        assert (int(guest.config["cores"]), int(guest.config["memory"])) == (
            spec.resources.cores,
            spec.resources.memory_mib,
        )
        assert spec.network.mac in guest.config["net0"]
        assert "firewall=1" in guest.config["net0"]

    def test_the_guest_has_its_addresses(self, delivered: Delivered) -> None:
        """Both static addresses reach the guest by cloud-init, or by the container's own interface."""
        guest = delivered.lab.truth.guest(delivered.spec.placement.vmid)
        assert guest is not None
        parts = str(guest.config["ipconfig0" if guest.kind == "qemu" else "net0"]).split(",")

        assert {part for part in parts if part.partition("=")[0] in {"ip", "gw", "ip6", "gw6"}} == {
            "ip=203.0.113.25/24",
            "gw=203.0.113.1",
            "ip6=2001:db8:0:19::2/64",
            "gw6=fe80::1",
        }

    def test_nothing_can_be_spoofed_and_only_declared_ports_are_open(self, delivered: Delivered) -> None:
        """Options, address set and rules in Proxmox VE are exactly the declared ones."""
        guest = delivered.lab.truth.guest(delivered.spec.placement.vmid)
        assert guest is not None
        firewall = delivered.lab.truth.firewall(guest)
        options = {name: str(value) for name, value in firewall["options"].items() if name != "digest"}

        assert options == {
            "enable": "1",
            "policy_in": "DROP",
            "policy_out": "ACCEPT",
            "macfilter": "1",
            "ipfilter": "1",
            "dhcp": "0",
            "ndp": "1",
            "radv": "0",
            "log_level_in": "nolog",
            "log_level_out": "info",
        }
        assert {name: set(entries) for name, entries in firewall["ipset"].items()} == {
            "ipfilter-net0": {
                "203.0.113.25",
                "2001:db8:0:19::/64",
                str(link_local_address(delivered.spec.network.mac)),
            }
        }
        assert [(rule.get("macro"), rule.get("proto"), rule.get("dport")) for rule in firewall["rules"]] == [
            ("Ping", None, None),
            *((None, port.protocol.value, port.ports) for port in delivered.spec.network.open_ports),
        ]
        assert {(rule["type"], rule["action"], int(rule["enable"])) for rule in firewall["rules"]} == {
            ("in", "ACCEPT", 1)
        }

    def test_its_name_resolves_to_both_addresses(self, delivered: Delivered) -> None:
        """The zone holds an A and an AAAA record of the workload's name."""
        name = delivered.spec.dns.fqdn

        assert delivered.lab.truth.records(name) == {
            (name, "A"): ["203.0.113.25"],
            (name, "AAAA"): ["2001:db8:0:19::2"],
        }

    def test_the_outputs_say_what_is_there(self, delivered: Delivered) -> None:
        """Inventory, IPAM and DNS rows are written from these."""
        spec = delivered.spec

        assert delivered.outputs == {
            "vmid": spec.placement.vmid,
            "node": spec.placement.node,
            "fqdn": spec.dns.fqdn,
            "hostname": spec.hostname,
            "ipv4": "203.0.113.25",
            "ipv6": "2001:db8:0:19::2",
        }

    @pytest.mark.parametrize("refresh", [False, True], ids=["from the state", "from what is there"])
    def test_a_preview_right_after_shows_no_change(self, delivered: Delivered, *, refresh: bool) -> None:
        """What was delivered is what was declared: neither state nor the real world differs from the program."""
        assert delivered.stack.preview(delivered.spec, refresh=refresh).steps == ()

    def test_the_state_says_where_a_resource_was_declared_and_not_how_the_program_came_there(
        self, delivered: Delivered
    ) -> None:
        """A stack trace a resource would be most of what is written after each step."""
        state = json.loads(delivered.stack.state())
        assert [item["urn"] for item in state["resources"] if "stackTrace" in item] == []
        assert any("/components/compute/" in item.get("sourcePosition", "") for item in state["resources"])

    def test_no_credential_is_in_the_state(self, delivered: Delivered) -> None:
        """Tokens stay in the environment: neither they nor their secret halves are stored."""
        secrets = credentials(delivered.lab, delivered.spec)
        proxmox, cloudflare = secrets["PROXMOX_VE_API_TOKEN"], secrets["CLOUDFLARE_API_TOKEN"]
        state = delivered.stack.state()

        assert [part for part in (proxmox, proxmox.partition("=")[2], cloudflare) if part in state] == []
        providers = [resource for resource in json.loads(state)["resources"] if "providers:" in resource["type"]]
        # "__internal" is the engine's own note of where a plugin comes from.
        assert sorted((provider["type"], *sorted(provider["inputs"])) for provider in providers) == [
            ("pulumi:providers:cloudflare", "__internal", "version"),
            ("pulumi:providers:proxmoxve", "__internal", "version"),
        ]
