"""A node that can be off, and whose drives can be blank until somebody installs Proxmox VE on them."""

import secrets
from typing import Any

from passlib.hash import sha512_crypt

from lab.proxmox.installed import Installed


class Power(Installed):
    """Listens while it is on and installed; otherwise its port refuses connections, as a machine without a system does.

    A password is known to the installer as a hash only, so root gets the lab's password if that is the hash's, and
    else one that nobody knows.
    """

    password: str
    own_password: str
    bare: bool
    is_on = False
    is_installed = True
    _tls: tuple[str, str] = ("", "")

    def install(self, root_hash: str) -> None:
        """Have Proxmox VE on the drives; it serves once the machine is on."""
        self.as_installed()
        self.is_installed = True
        is_ours = root_hash.startswith("$6$") and sha512_crypt.verify(self.own_password, root_hash)
        self.password = self.own_password if is_ours else secrets.token_urlsafe()

    async def stand_ready(self, certificate: str, key: str) -> None:
        """Be switched on, with this certificate; Robot's machine switches it off again if it is to be off."""
        self._tls = (certificate, key)
        await self.switch(is_on=True)

    async def switch(self, *, is_on: bool) -> None:
        """Switch on or off. A machine that is on but blank does not listen either."""
        is_serving = self.runner is not None
        self.is_on = is_on
        if is_on and self.is_installed and not is_serving:
            await self.start(*self._tls)
        elif is_serving and not (is_on and self.is_installed):
            await self.stop()

    def remembered(self) -> dict[str, Any]:
        """The system on the drives, too."""
        power = {"is_installed": self.is_installed, "password": self.password}
        return {**super().remembered(), "power": power}

    def remember(self, kept: dict[str, Any]) -> None:
        """Have the system that an earlier run had."""
        super().remember(kept)
        power = kept.get("power")
        if power is not None:
            self.is_installed, self.password = power["is_installed"], power["password"]
