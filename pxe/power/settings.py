"""What the engine's environment says of a machine's BMC. None of it is in a stack's inputs or state."""

import re
import secrets
import string
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pxe.power.errors import BadBmcSettings

PREFIX = "SLIPWAY_BMC_"
IPMI_PORT = 623
_PASSWORD_LENGTH = 16
_HOST_AND_PORT = re.compile(r"^(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9.-]+))(?::(?P<port>\d{1,5}))?$")


class BmcKind(StrEnum):
    """What a BMC speaks."""

    REDFISH = "redfish"
    IPMI = "ipmi"
    ROBOT = "robot"
    FAKE = "fake"


class BmcSettings(BaseSettings):
    """Read from ``SLIPWAY_BMC_DRIVER``, ``_ADDRESS``, ``_SYSTEM``, ``_USER``, ``_PASSWORD`` and ``_VERIFY_TLS``.

    Attributes:
        address: an ``http`` or ``https`` address; for IPMI a host, with a port if it is not 623.
        system: which machine behind that address: a system's id or path for Redfish (empty: there is only one), the
            server's number for Robot, the machine's name for the fake. Unused for IPMI.
        verify_tls: ``true``, ``false``, or the file of the authorities to trust.
        boot_mac: of the card with which a machine without network boot reaches the boot service; ``boot_vlan`` on it,
            ``boot_address`` the machine's there. Only for Robot, like the rest.
        boot_url: of the boot service; ``boot_network`` the network that it shares with the machine.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    driver: BmcKind
    address: Annotated[str, Field(min_length=1)]
    system: str = ""
    user: Annotated[str, Field(min_length=1)]
    password: Annotated[SecretStr, Field(min_length=1)]
    verify_tls: bool | Path = True
    boot_mac: Annotated[str, Field(pattern=r"^([0-9a-f]{2}(:[0-9a-f]{2}){5})?$")] = ""
    boot_vlan: Annotated[int, Field(ge=1, le=4094)] | None = None
    boot_address: IPv4Address | None = None
    boot_url: Annotated[str, Field(pattern=r"^(https?://[A-Za-z0-9._:/\[\]-]+)?$")] = ""
    boot_network: IPv4Network | None = None

    @model_validator(mode="after")
    def _can_be_meant(self) -> Self:
        if self.driver is BmcKind.IPMI:
            host_and_port(self.address)
        elif urlsplit(self.address).scheme not in {"http", "https"} or not urlsplit(self.address).hostname:
            raise ValueError(f"ADDRESS: '{self.address}' is not an http or https address")
        if self.driver is BmcKind.ROBOT and not self.system.isdecimal():
            raise ValueError("SYSTEM: give the server's number at Robot")
        if isinstance(self.verify_tls, Path) and not self.verify_tls.is_file():
            raise ValueError(f"VERIFY_TLS: there is no file {self.verify_tls}; true, false or a file is expected")
        return self


def bmc_settings() -> BmcSettings:
    """Read the settings.

    Raises:
        BadBmcSettings: names each variable that is missing or wrong.
    """
    try:
        return BmcSettings()
    except ValidationError as error:
        problems = []
        for item in error.errors(include_input=False):
            name = f"{str(item['loc'][0]).upper()}: " if item["loc"] else ""
            problems.append(f"{PREFIX}{name}{item['msg'].removeprefix('Value error, ')}")
        raise BadBmcSettings(f"the environment does not describe the machine's BMC: {'; '.join(problems)}") from None


def host_and_port(address: str) -> tuple[str, int]:
    """Take an address of IPMI apart: ``bmc.example``, ``192.0.2.1:1623``, ``[2001:db8::1]:623``.

    Raises:
        ValueError: if it is no such.
    """
    found = _HOST_AND_PORT.match(address)
    if found is None:
        raise ValueError(f"ADDRESS: '{address}' is not host, host:port or [IPv6]:port")
    return found["v6"] or found["host"], int(found["port"] or IPMI_PORT)


def new_password() -> SecretStr:
    """Make a password that every BMC takes: IPMI allows 16 characters, and some want one of each kind."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    while True:
        made = "".join(secrets.choice("".join(kinds)) for _ in range(_PASSWORD_LENGTH))
        if all(set(made) & set(kind) for kind in kinds):
            return SecretStr(made)
