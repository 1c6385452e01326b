"""What nodes make guests from: the images behind the template registry's versions, and where they lie on a node."""

import re
from collections.abc import Iterable
from itertools import combinations
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.specs.network import BridgeName, Frozen
from components.specs.workload import StorageName

FIRST_VMID, LAST_VMID = 9000, 9999
"""The VMIDs of templates. They are the same on every node; guests' own begin at 100000 and are never used twice."""

MOST_DISK_GIB = 20
"""GiB of the smallest cloud VM that is sold: a clone's disk grows, and is never shrunk."""

VM_ENDINGS = ("qcow2", "raw", "img")
CONTAINER_ENDINGS = ("tar.zst", "tar.xz", "tar.gz")
_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}

TemplateSlug = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")]
"""A template of the registry, such as ``ubuntu-24.04``."""

TemplateVersion = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,30}[a-z0-9])?$")]
"""A version of it, such as ``1.21``."""


class ImageSpec(Frozen):
    """What a template version is made of: one file, told from every other by its checksum.

    An address whose content changes (``latest``) has no checksum that stays true: point at a dated file, or keep a
    mirror.
    """

    url: Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._~/+-]+$", max_length=500)]
    checksum: Annotated[str, Field(pattern=r"^[0-9a-f]+$")]
    algorithm: Literal["sha256", "sha384", "sha512"] = "sha256"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wanted = _DIGITS[self.algorithm]
        if len(self.checksum) != wanted:
            raise ValueError(f"'checksum' has {len(self.checksum)} digits, {self.algorithm} has {wanted}")
        return self

    @property
    def ending(self) -> str:
        """What the file's name ends in: ``tar.zst``, ``qcow2``; empty if that is no image's."""
        known = "|".join(map(re.escape, (*VM_ENDINGS, *CONTAINER_ENDINGS)))
        found = re.search(rf"\.({known})$", self.url)
        return found.group(1) if found else ""


class TemplateSpec(Frozen):
    """One version of a template, for the nodes of one class.

    Attributes:
        vmid: of the virtual machine that is made into the template; containers' templates have none.
        disk_gib: of a virtual machine's disk, at least the image's own size.
        system: Proxmox VE's name of the operating system in a virtual machine.
    """

    template: TemplateSlug
    version: TemplateVersion
    kind: Literal["vm", "container"]
    workload_class: Literal["game", "bot", "cloud"]
    image: ImageSpec
    vmid: Annotated[int, Field(ge=FIRST_VMID, le=LAST_VMID)] | None = None
    disk_gib: Annotated[int, Field(ge=1, le=MOST_DISK_GIB)] = 4
    system: Literal["l26", "other"] = "l26"

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if (self.kind == "vm") != (self.vmid is not None):
            raise ValueError(f"'vmid' belongs to templates of kind vm, and each of them needs one: '{self.label}'")
        endings = VM_ENDINGS if self.kind == "vm" else CONTAINER_ENDINGS
        if self.image.ending not in endings:
            raise ValueError(f"'url' of '{self.label}' has to end in {', '.join(endings)} for kind {self.kind}")
        return self

    @property
    def label(self) -> str:
        """Slug and version: ``debian-12-1``."""
        return f"{self.template}-{self.version}"

    @property
    def file_name(self) -> str:
        """The image's name on a node's storage. Only we name files so, and no two versions share one."""
        if self.kind == "container":
            return f"{self.label}_amd64.{self.image.ending}"
        # Proxmox VE imports by the name's ending and knows no "img"; the distributions that use it mean qcow2.
        return f"{self.label}.{'qcow2' if self.image.ending == 'img' else self.image.ending}"

    @property
    def machine_name(self) -> str:
        """The virtual machine's name, which is a DNS name: ``ubuntu-24-04-1``."""
        return self.label.replace(".", "-")


class TemplatePlaceSpec(Frozen):
    """Where on a node templates are made.

    Attributes:
        machine_images: a storage with content of type ``import``, which `local` has not by itself.
        container_templates: a storage with content of type ``vztmpl``.
        disks: the storage that guests' disks and the templates' own are on.
    """

    machine_images: StorageName = "images"
    container_templates: StorageName = "local"
    disks: StorageName = "local-lvm"
    bridge: BridgeName = "vmbr0"


def check_templates(templates: Iterable[TemplateSpec]) -> None:
    """Hold template versions against each other.

    A new version stands beside the old one, which stays for as long as guests use it: both are in the list.

    Raises:
        ValueError: names both and what they share: slug and version, VMID, or the file's name.
    """
    for one, other in combinations(templates, 2):
        if (one.template, one.version) == (other.template, other.version):
            raise ValueError(f"version: template '{one.template}' has {one.version} twice: give the new one another")
        if one.vmid is not None and one.vmid == other.vmid:
            raise ValueError(f"vmid: '{one.label}' and '{other.label}' both have {one.vmid}: give the new one another")
        if one.file_name == other.file_name:
            raise ValueError(f"version: '{one.label}' and '{other.label}' would share the file {one.file_name}")
