"""An order of a dedicated server, which costs money and cannot be taken back."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.specs.network import Frozen

Fingerprint = Annotated[str, Field(pattern=r"^([0-9a-f]{2}:){15}[0-9a-f]{2}$")]
"""MD5 over a public key, as Robot writes it."""


class RobotOrderSpec(Frozen):
    """One server of a product.

    Attributes:
        reference: ours, unlike any other order's. It goes with the order as its comment, which makes Hetzner handle it
            by hand, and tells it from others for ever.
        shop: new servers, or the server market.
        product: Robot's id of the product.
        location: where a new server stands; a server of the market has its own.
        key: the fingerprint of the key that the delivered server lets in.
        test: the order is checked by Robot and not placed.
        approval: who has approved it and where that is written down; without it nothing is placed.
    """

    reference: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    shop: Literal["server", "server_market"] = "server"
    product: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _-]{0,62}$")]
    location: Annotated[str, Field(pattern=r"^[A-Z]{3}[0-9]$")] | None = None
    key: Fingerprint
    test: bool = True
    approval: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _is_approved(self) -> Self:
        if not self.test and not self.approval.strip():
            raise ValueError("approval: an order with 'test: false' costs money; name who approved it, and where")
        if (self.location is None) is (self.shop == "server"):
            raise ValueError("location: a new server needs one, and a server of the market has its own")
        return self

    @property
    def comment(self) -> str:
        """What tells the order from others."""
        return f"slipway {self.reference}"
