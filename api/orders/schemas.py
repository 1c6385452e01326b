"""What customers send and get about orders."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.auth.fields import Label
from api.orders.models import OrderStatus
from components.specs import Hostname, WorkloadKind
from components.specs.machine import DiskLayout

_LONGEST_NAME = 40


def _short(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"use at most {_LONGEST_NAME} characters: the name becomes part of a DNS name")
    return name


WorkloadName = Annotated[Hostname, AfterValidator(_short)]
_Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]


class OrderRequest(BaseModel):
    """What a customer wants.

    Attributes:
        name: the workload's name and hostname, unique among the customer's own.
        ssh_keys: names of SSH keys of the account; a cloud VM or a machine needs at least one, or nobody could log in.
        layout: how a machine's disks are used; the template's usual way if it is left out. Bare metal only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    product: _Slug
    size: _Slug
    template: _Slug
    name: WorkloadName
    ssh_keys: Annotated[tuple[Label, ...], Field(max_length=16)] = ()
    layout: DiskLayout | None = None


class OrderView(BaseModel):
    """An order as its owner sees it. ``checkout_url`` is set while it can be paid."""

    id: UUID
    status: OrderStatus
    description: str
    price_cents: int
    currency: str
    workload_id: UUID
    workload_name: str
    kind: WorkloadKind
    checkout_url: str | None
    created_at: datetime
    paid_at: datetime | None
    delivered_at: datetime | None
    closed_reason: str | None
