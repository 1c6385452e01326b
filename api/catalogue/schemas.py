"""The catalogue as customers see it."""

from pydantic import BaseModel, ConfigDict

from components.specs import WorkloadKind
from components.specs.machine import DiskLayout


class SizeView(BaseModel):
    """A size; ``price_cents`` is for a month."""

    model_config = ConfigDict(from_attributes=True)

    slug: str
    name: str
    cores: int
    memory_mib: int
    disk_gib: int
    price_cents: int
    currency: str


class TemplateView(BaseModel):
    """A template in its current version; ``layouts`` are how a machine's disks can be used, the usual way first."""

    slug: str
    name: str
    version: str
    minimum_memory_mib: int
    layouts: list[DiskLayout]


class ProductView(BaseModel):
    """A product with everything that can be chosen for it."""

    slug: str
    name: str
    description: str
    kind: WorkloadKind
    sizes: list[SizeView]
    templates: list[TemplateView]
