"""What people tell of machines, checked before anything is stored."""

from ipaddress import IPv4Address
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator

from api.machines.models import BmcDriver
from components.specs.bmc import BmcText, check_bmc
from components.specs.machine import MacAddress, MachineClass, MachineName, Serial
from components.specs.platform.machines import Label

SiteSlug = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


def _is_password(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().isprintable():
        raise ValueError("a BMC's password is printable characters on one line")
    return secret


BmcPassword = Annotated[SecretStr, Field(min_length=1, max_length=128)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MachineFacts(_Body):
    """All that is told of a machine but its BMC's password.

    Attributes:
        macs: of all network cards that are known; the one that it boots with is added.
        memory_mib: as plugged in; likewise ``disk_gib``, the size of each disk.
        boot_address: what DHCP gives it on the provisioning network; none lets DHCP choose.
        bmc_address: an ``http`` or ``https`` address; of IPMI a host, perhaps with a port.
        bmc_system: which machine behind that address it is: for Robot the server's number.
    """

    name: MachineName
    site: SiteSlug
    machine_class: MachineClass
    serial: Serial
    boot_mac: MacAddress
    macs: Annotated[list[MacAddress], Field(max_length=64)] = []
    cores: Annotated[int, Field(ge=1, le=8192)]
    memory_mib: Annotated[int, Field(ge=64, le=1 << 30)]
    disk_gib: Annotated[int, Field(ge=1, le=1 << 20)]
    disk_count: Annotated[int, Field(ge=1, le=128)]
    boot_address: IPv4Address | None = None
    server_number: Annotated[int, Field(ge=1, le=1 << 30)] | None = None
    rack: Label = ""
    switch_port: Label = ""
    vlan: Annotated[int, Field(ge=1, le=4094)] | None = None
    bmc_driver: BmcDriver
    bmc_address: Annotated[BmcText, Field(min_length=1)]
    bmc_system: BmcText = ""
    bmc_user: Annotated[BmcText, Field(min_length=1)]
    bmc_verify_tls: bool = True

    @model_validator(mode="after")
    def _bmc_can_be_meant(self) -> Self:
        check_bmc(self.bmc_driver, self.bmc_address, self.bmc_system, ("bmc_address", "bmc_system"))
        return self

    @model_validator(mode="after")
    def _boot_card_is_a_card(self) -> Self:
        self.macs = sorted({*self.macs, self.boot_mac})
        return self


class MachineIn(MachineFacts):
    """A machine that is new to us."""

    bmc_password: BmcPassword | None = Field(default=None, description="kept sealed, shown to nobody; can follow later")

    _password = field_validator("bmc_password")(lambda secret: secret and _is_password(secret))


class MachinePatch(_Body):
    """What is different from now on; what is left out stays, what is null is forgotten.

    What an inspection looks at, and where the machine is, can be changed only while it is `enroll` or `quarantine`.
    """

    site: SiteSlug | None = None
    machine_class: MachineClass | None = None
    serial: Serial | None = None
    boot_mac: MacAddress | None = None
    macs: Annotated[list[MacAddress], Field(max_length=64)] | None = None
    cores: int | None = None
    memory_mib: int | None = None
    disk_gib: int | None = None
    disk_count: int | None = None
    boot_address: IPv4Address | None = None
    server_number: int | None = None
    rack: Label | None = None
    switch_port: Label | None = None
    vlan: int | None = None
    bmc_driver: BmcDriver | None = None
    bmc_address: BmcText | None = None
    bmc_system: BmcText | None = None
    bmc_user: BmcText | None = None
    bmc_verify_tls: bool | None = None


class BmcCredentialIn(_Body):
    """What the control plane logs in to a machine's BMC with."""

    password: BmcPassword = Field(description="kept sealed, and shown to nobody")

    _password = field_validator("password")(_is_password)


class ReasonIn(_Body):
    """Why somebody decides this; it goes into the audit trail."""

    reason: Reason


class QuarantineIn(ReasonIn):
    """Why a machine is taken out of use."""

    affects_customer: bool = Field(default=False, description="needed for a machine that is a customer's")
