"""Guests as the provider sees them: an agent that knows its addresses, and nothing left after deletion."""

import re
from typing import Any

from fakepve import FakePve
from fakepve.lxc import split_props

from lab.proxmox.drives import mac_of

AGENT_ON = re.compile(r"(?:^|,)(?:enabled=)?1(?:,|$)")
LOOPBACK = {
    "name": "lo",
    "hardware-address": "00:00:00:00:00:00",
    "ip-addresses": [{"ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8}],
}


def agent_interfaces(config: dict[str, Any]) -> list[dict[str, Any]]:
    """What the guest agent would report: each ``netN`` with the static addresses of its ``ipconfigN``."""
    found: list[dict[str, Any]] = [LOOPBACK]
    for key in sorted(name for name in config if re.fullmatch(r"net\d+", name)):
        number = key.removeprefix("net")
        props = split_props(str(config.get(f"ipconfig{number}", "")))[1]
        addresses = [
            {"ip-address": address, "ip-address-type": family, "prefix": int(prefix)}
            for family, field in (("ipv4", "ip"), ("ipv6", "ip6"))
            for address, slash, prefix in [str(props.get(field, "")).partition("/")]
            if slash
        ]
        found.append(
            {
                "name": f"eth{number}",
                "hardware-address": (mac_of(str(config[key])) or "").lower(),
                "ip-addresses": addresses,
            }
        )
    return found


class Guests(FakePve):  # type: ignore[misc] # fakepve ships no type information
    """Guest agent, OS type and deletion."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._os_types: dict[int, str] = {}

    async def _agent_call(self, match: Any, values: dict[str, Any]) -> Any:
        """Answer for a guest whose configuration turns the agent on, as images with an agent installed do.

        fakepve's guests have no agent unless a test gives them one, and its default addresses are made up.
        """
        vm = self.find(values["node"], values["vmid"])
        if vm.agent is None and AGENT_ON.search(str(vm.config.get("agent", ""))):
            vm.agent = {}
        if vm.agent is not None:
            vm.agent["interfaces"] = agent_interfaces(vm.config)
        return await super()._agent_call(match, values)

    async def _lxc_create(self, user: str, v: dict[str, Any]) -> Any:
        """Create a container with the OS type that the client names.

        fakepve always takes the type from the template's file name; Proxmox VE does so only where none is given.
        The provider always names one, reads another, and wants to change it for ever.
        """
        if v.get("ostype"):
            self._os_types[int(v["vmid"])] = v["ostype"]
        return await super()._lxc_create(user, v)

    def work_done(self, ttype: str, guest: Any) -> None:
        """Put right what fakepve's creation wrote."""
        super().work_done(ttype, guest)
        if ttype == "vzcreate" and guest.vmid in self._os_types:
            guest.config["ostype"] = self._os_types.pop(guest.vmid)

    def _drop(self, ct: Any) -> None:
        """Forget a container, its firewall included: Proxmox VE removes ``ID.fw`` with the guest.

        fakepve does so for virtual machines only, and the next container of that id would inherit the rules.
        """
        super()._drop(ct)
        self._fw()["guests"].pop(ct.vmid, None)

    def discard(self, guest: Any) -> None:
        """Remove a half-made guest, as Proxmox VE cleans up after a create or clone that failed."""
        if guest in self.vms:
            self.vms.remove(guest)
        elif guest in self.cts:
            self._drop(guest)
