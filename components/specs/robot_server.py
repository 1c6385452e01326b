"""What is ours to say about a dedicated server at Robot: its name and its reverse DNS."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from components.specs.network import Frozen
from components.specs.vswitch import ServerNumber


def _as_an_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"'{text}' is not an IP address; of a subnet, give each address") from None


Address = Annotated[str, AfterValidator(_as_an_address)]
"""An address in its shortest form, as Robot answers it."""

ReverseName = Annotated[str, Field(pattern=r"^([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$", max_length=253)]
"""What an address resolves to: a full name in lower case, without a dot at its end."""


class RobotServerSpec(Frozen):
    """A server that is there already: what it is called, and what its addresses resolve to."""

    number: ServerNumber
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")]
    rdns: Mapping[Address, ReverseName] = {}
