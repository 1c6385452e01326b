"""What game servers and bots have in common."""

import pytest

from components.compute import Bot, GameServer
from components.specs import BotSpec, ContainerOs, GameServerSpec
from tests.fakes.pulumi_monitor import Program, run_program
from tests.fakes.workload_specs import OTHER_SSH_KEY, SSH_KEY, bot, minecraft

CONTAINER = "proxmoxve:index/containerLegacy:ContainerLegacy"


def build(spec: GameServerSpec | BotSpec) -> Program:
    """Return what the component of ``spec`` declares."""
    return run_program(
        lambda: (Bot("workload", spec) if isinstance(spec, BotSpec) else GameServer("workload", spec)).outputs
    )


class TestContainer:
    def test_it_is_unprivileged_and_may_nest(self) -> None:
        """Root inside is nobody outside; systemd inside can still make its own namespaces."""
        inputs = build(bot()).inputs(CONTAINER)

        assert (inputs["unprivileged"], inputs["features"]) == (True, {"nesting": True})

    def test_memory_is_what_was_bought_without_swap(self) -> None:
        """Swap would let a container use more of the node than its order."""
        inputs = build(bot()).inputs(CONTAINER)

        assert inputs["memory"] == {"dedicated": 512, "swap": 0}
        assert inputs["cpu"] == {"cores": 1}
        assert inputs["disk"] == {"datastoreId": "local-zfs", "size": 4}

    def test_the_template_says_how_its_file_system_is_set_up(self) -> None:
        """An 'unmanaged' container would come up without address, host name and keys."""
        inputs = build(bot(os_type=ContainerOs.ALPINE)).inputs(CONTAINER)

        assert inputs["operatingSystem"] == {
            "templateFileId": "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst",
            "type": "alpine",
        }

    def test_addresses_keys_and_resolvers_are_given(self) -> None:
        """A container with its own init finds static addresses, keys and resolvers in place."""
        assert build(bot(ssh_keys=(SSH_KEY, OTHER_SSH_KEY))).inputs(CONTAINER)["initialization"] == {
            "hostname": "herald",
            "userAccount": {"keys": [SSH_KEY, OTHER_SSH_KEY]},
            "ipConfigs": [
                {
                    "ipv4": {"address": "203.0.113.25/24", "gateway": "203.0.113.1"},
                    "ipv6": {"address": "2001:db8:0:19::2/64", "gateway": "fe80::1"},
                }
            ],
            "dns": {"domain": "play.example", "servers": ["9.9.9.9", "2620:fe::fe"]},
        }

    def test_an_order_without_keys_makes_no_account(self) -> None:
        """No key, no account: an empty list would read as a change on every preview."""
        assert "userAccount" not in build(bot(ssh_keys=())).inputs(CONTAINER)["initialization"]

    @pytest.mark.parametrize("started", [True, False])
    def test_a_stopped_container_stays_off_when_its_node_restarts(self, *, started: bool) -> None:
        """Start at boot follows the desired power state."""
        inputs = build(bot(started=started)).inputs(CONTAINER)

        assert (inputs["started"], inputs["startOnBoot"]) == (started, started)


class TestStartCommand:
    def test_a_start_command_becomes_the_init_on_an_interface_the_host_configures(self) -> None:
        """A game that runs as init brings no network set-up of its own."""
        inputs = build(minecraft()).inputs(CONTAINER)

        assert inputs["initialization"]["entrypoint"] == (
            "/usr/bin/java -Xmx3072M -jar /srv/minecraft/server.jar nogui"
        )
        assert inputs["environmentVariables"] == {"EULA": "TRUE"}
        assert inputs["networkInterfaces"] == [
            {
                "name": "eth0",
                "bridge": "vmbr0",
                "macAddress": "02:53:00:00:01:2D",
                "firewall": True,
                "hostManaged": True,
            }
        ]

    def test_without_one_the_template_boots_its_own_init(self) -> None:
        """No start command: the container's own init configures the interface."""
        inputs = build(bot()).inputs(CONTAINER)

        assert "entrypoint" not in inputs["initialization"]
        assert "environmentVariables" not in inputs
        assert inputs["networkInterfaces"][0]["hostManaged"] is False
