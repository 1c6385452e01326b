"""The pool's machines in a stack's configuration: what is wrong is told by key and line, what is right is reported."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from components.specs.platform import MachineReport
from components.specs.platform.bare_metal_pool import BareMetalPoolSpec
from stacks.platform.configuration import ConfigurationError, parse_spec

TEXT = """config:
  slipway:spec:
    site: fsn
    servers:
      - {name: metal-1, number: 321004}
    machines:
      - name: box-1
        machine_class: metal-small
        serial: SN-0001
        boot_mac: 52-54-00-0A-00-01
        macs: ["52:54:00:0a:00:11"]
        cores: 8
        memory_mib: 65536
        disk_gib: 477
        disk_count: 2
        boot_address: 10.20.0.11
        server: metal-1
        rack: FSN1-DC14 R7
        switch_port: sw1/7
        vlan: 4000
        bmc: {driver: redfish, address: "https://10.21.0.1", system: "1"}
      - name: box-2
        machine_class: metal-small
        serial: SN-0002
        boot_mac: 52:54:00:0a:00:02
        cores: 8
        memory_mib: 65536
        disk_gib: 477
        disk_count: 2
        bmc: {driver: ipmi, address: "10.21.0.2"}
"""


def spec_of(text: str, folder: Path) -> BareMetalPoolSpec:
    """Read a configuration as the stack's program does."""
    file = folder / "Pulumi.lab-bare-metal-pool.yaml"
    file.write_text(text, encoding="utf-8")
    spec = parse_spec(BareMetalPoolSpec, yaml.safe_load(text)["config"]["slipway:spec"], file)
    assert isinstance(spec, BareMetalPoolSpec)
    return spec


def test_a_machine_is_reported_with_its_site_its_cards_and_the_number_of_its_server(tmp_path: Path) -> None:
    """As the inventory writes them: cards in order, that which it boots with among them."""
    first, second = (MachineReport.model_validate(one) for one in spec_of(TEXT, tmp_path).machine_reports())
    assert (first.name, first.site, first.server_number, first.vlan) == ("box-1", "fsn", 321_004, 4000)
    assert first.boot_mac == "52:54:00:0a:00:01"
    assert first.macs == ("52:54:00:0a:00:01", "52:54:00:0a:00:11")
    assert (second.server_number, second.boot_address, second.bmc.user) == (None, None, "slipway")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("52-54-00-0A-00-01", "52-54", "yaml:10: slipway:spec.machines.0.boot_mac: a MAC address is six octets"),
        ("52-54-00-0A-00-01", "01:54:00:0a:00:01", "yaml:10: slipway:spec.machines.0.boot_mac: this is a group's MAC"),
        ("vlan: 4000", "vlan: 4095", "yaml:20: slipway:spec.machines.0.vlan: Input should be less than"),
        ("SN-0002", "SN-0001", "yaml:24: slipway:spec.machines.1.serial: another machine has the serial number"),
        ("box-2", "box-1", "yaml:22: slipway:spec.machines.1.name: another machine has the name 'box-1'"),
        ("0a:00:02", "0a:00:11", "yaml:25: slipway:spec.machines.1.boot_mac: another machine has the network card"),
        ("server: metal-1", "server: metal-9", "yaml:17: slipway:spec.machines.0.server: the stack has no server"),
        ('"10.21.0.2"', '"http://x"', "yaml:30: slipway:spec.machines.1.bmc: 'address' of an IPMI BMC is a host"),
        ('"10.21.0.2"', '"10.21.0.2", password: x', "yaml:30: slipway:spec.machines.1.bmc.password: Extra inputs"),
    ],
)
def test_what_is_wrong_is_told_by_key_and_line(tmp_path: Path, before: str, after: str, said: str) -> None:
    """Before anything exists."""
    with pytest.raises(ConfigurationError) as caught:
        spec_of(TEXT.replace(before, after), tmp_path)
    assert said in str(caught.value)


def test_a_reported_machine_boots_with_one_of_its_cards(tmp_path: Path) -> None:
    """A report comes over the network, and is held against its model there, too."""
    report: dict[str, Any] = spec_of(TEXT, tmp_path).machine_reports()[0]
    with pytest.raises(ValidationError, match="lacks 'boot_mac'"):
        MachineReport.model_validate({**report, "macs": ["52:54:00:0a:00:11"]})
