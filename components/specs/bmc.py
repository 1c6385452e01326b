"""How a machine's BMC is reached, as data. No login's password: those are deposited with the control plane."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from components.specs.network import Frozen

_HOST_AND_PORT = re.compile(r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?$")
BmcText = Annotated[str, Field(pattern=r"^[\x21-\x7e]{0,255}$")]
BmcDriverName = Literal["redfish", "ipmi", "robot", "fake"]
"""What the BMC speaks; ``fake`` is a simulated one, for the lab."""


class BmcSpec(Frozen):
    """A BMC.

    Attributes:
        address: an ``http`` or ``https`` address; of IPMI a host, perhaps with a port.
        system: which machine behind that address it is: for Robot the server's number.
        user: as whom the control plane logs in; the password is deposited, and stands in no configuration.
    """

    driver: BmcDriverName
    address: Annotated[BmcText, Field(min_length=1)]
    system: BmcText = ""
    user: Annotated[BmcText, Field(min_length=1)] = "slipway"
    verify_tls: bool = True

    @model_validator(mode="after")
    def _can_be_meant(self) -> Self:
        check_bmc(self.driver, self.address, self.system, ("address", "system"))
        return self


def check_bmc(driver: str, address: str, system: str, names: tuple[str, str]) -> None:
    """Refuse a BMC's address that its driver cannot use.

    Args:
        driver: what the BMC speaks.
        address: where it is.
        system: which machine there.
        names: what address and system are called where they were written.

    Raises:
        ValueError: names the field and what it has to be.
    """
    if driver == "ipmi":
        if not _HOST_AND_PORT.match(address):
            raise ValueError(f"'{names[0]}' of an IPMI BMC is a host, host:port or [IPv6]:port")
        return
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.password:
        raise ValueError(f"'{names[0]}' is an http or https address without a login in it")
    if driver == "robot" and not system.isdecimal():
        raise ValueError(f"'{names[1]}' is the server's number at Robot")
