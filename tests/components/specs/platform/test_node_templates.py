"""What of templates can be told to be wrong before anything is downloaded."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from api.catalogue.seed import load_catalogue
from components.specs import WorkloadKind
from components.specs.platform.node_templates import ImageSpec, TemplateSpec, check_templates
from components.specs.platform.nodes import NodesSpec

REPOSITORY = Path(__file__).parents[4]
CLASSES = {WorkloadKind.CLOUD_VM: "cloud", WorkloadKind.GAME_SERVER: "game", WorkloadKind.BOT: "bot"}
SHA256 = "0f" * 32


def image(**changes: Any) -> dict[str, Any]:
    """An image's description."""
    return {"url": "https://images.slipway.example/debian-12.qcow2", "checksum": SHA256, **changes}


def template(**changes: Any) -> TemplateSpec:
    """A machine's template."""
    fields = {
        "template": "debian-12",
        "version": "1",
        "kind": "vm",
        "workload_class": "cloud",
        "vmid": 9000,
        "image": image(),
        **changes,
    }
    return TemplateSpec.model_validate(fields)


def container(**changes: Any) -> TemplateSpec:
    """A container's template."""
    bot = {"template": "python-bot", "version": "3.12", "kind": "container", "workload_class": "bot", "vmid": None}
    return template(**{**bot, "image": image(url="https://images.slipway.example/bot.tar.zst"), **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"checksum": "abc"},
        {"checksum": SHA256.upper()},
        {"algorithm": "sha512"},
        {"algorithm": "md5", "checksum": "0f" * 16},
        {"url": "http://images.slipway.example/debian-12.qcow2"},
        {"url": "https://user:secret@images.slipway.example/debian-12.qcow2"},
    ],
)
def test_an_image_without_a_whole_checksum_or_a_safe_address_is_refused(changes: dict[str, str]) -> None:
    """A credential in the address would end in the state."""
    with pytest.raises(ValidationError):
        ImageSpec.model_validate(image(**changes))


def test_an_image_needs_a_checksum() -> None:
    """Without one, whoever answers at the address decides what customers run."""
    with pytest.raises(ValidationError, match="checksum"):
        ImageSpec.model_validate({"url": "https://images.slipway.example/debian-12.qcow2"})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"vmid": None}, "'vmid' belongs to templates of kind vm"),
        ({"vmid": 100_000}, "vmid"),
        ({"image": image(url="https://images.slipway.example/debian.tar.zst")}, "has to end in qcow2"),
        ({"disk_gib": 21}, "disk_gib"),
        ({"version": "1/../2"}, "version"),
    ],
)
def test_a_machine_s_template_that_cannot_be_made_is_refused(changes: dict[str, Any], problem: str) -> None:
    """Customers' VMIDs begin where templates' end."""
    with pytest.raises(ValidationError, match=problem):
        template(**changes)


@pytest.mark.parametrize("changes", [{"vmid": 9000}, {"image": image()}])
def test_a_container_s_template_is_an_archive_and_no_machine(changes: dict[str, Any]) -> None:
    """It has no VMID."""
    with pytest.raises(ValidationError):
        container(**changes)


def test_files_are_named_after_the_version_and_by_what_proxmox_reads() -> None:
    """Ubuntu's ``.img`` is a qcow2, and Proxmox VE goes by the name."""
    ubuntu = template(template="ubuntu-24.04", image=image(url="https://images.slipway.example/noble.img"))
    assert [item.file_name for item in (template(), ubuntu, container())] == [
        "debian-12-1.qcow2",
        "ubuntu-24.04-1.qcow2",
        "python-bot-3.12_amd64.tar.zst",
    ]
    assert ubuntu.machine_name == "ubuntu-24-04-1"


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (template(vmid=9001), "template 'debian-12' has 1 twice"),
        (template(version="2"), "vmid: 'debian-12-1' and 'debian-12-2' both have 9000"),
        (template(template="debian", version="12-1", vmid=9001), "would share the file debian-12-1.qcow2"),
    ],
)
def test_versions_share_neither_number_nor_file(other: TemplateSpec, problem: str) -> None:
    """Both are named; the same slug with another version and VMID is what a new version is."""
    check_templates([template(), template(version="2", vmid=9001), container()])
    with pytest.raises(ValueError, match=problem):
        check_templates([template(), container(), other])


def test_the_lab_s_nodes_are_made_of_the_images_that_the_registry_names() -> None:
    """Each current version of the catalogue, for the class that it is sold on."""
    content = yaml.safe_load((REPOSITORY / "Pulumi.lab-nodes.yaml").read_text(encoding="utf-8"))
    spec = NodesSpec.model_validate(content["config"]["slipway:spec"])
    there = {(item.template, item.version, item.workload_class, item.image) for item in spec.templates}
    wanted = {
        (item.slug, item.version, CLASSES[item.definition.kind], item.image)
        for item in load_catalogue().templates
        if item.definition.kind in CLASSES
    }
    assert wanted - there == set()
