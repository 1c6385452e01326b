"""Payment intents and refunds as today's API shows them, with the events that follow."""

from typing import Any

from localstripe.resources import Charge, PaymentIntent, Refund

from lab.stripe.objects import Resource, refuse, text_map, whole_number
from lab.stripe.prices import announce

REASONS = (None, "duplicate", "fraudulent", "requested_by_customer")


class LabPaymentIntent(PaymentIntent):  # type: ignore[misc] # localstripe ships no type information
    """A payment intent whose ``latest_charge`` is an id unless it is expanded."""

    object = PaymentIntent.object
    _id_prefix = "pi_"

    def __init__(self, description: str | None = None, **data: Any) -> None:
        super().__init__(**data)
        self.description = description
        announce("payment_intent.created", self)

    def _on_success(self) -> None:
        self.latest_charge.metadata = dict(self.metadata)
        announce("charge.succeeded", self.latest_charge)
        super()._on_success()

    @property
    def amount_received(self) -> int:
        """Cents received so far."""
        return int(self.amount) if self.status == "succeeded" else 0

    def _export(self, expand: list[str] | None = None) -> dict[str, Any]:
        rest = [path for path in expand or [] if not path.startswith("latest_charge")]
        shown: dict[str, Any] = super()._export(rest)
        shown.pop("charges", None)  # gone from the API since 2022-11-15
        if self.latest_charge is not None and len(rest) == len(expand or []):
            shown["latest_charge"] = self.latest_charge.id
        return shown

    @classmethod
    def _api_list_all(cls, url: str, **filters: Any) -> Any:
        return PaymentIntentListing._api_list_all(url, **filters)


class PaymentIntentListing(Resource):
    """How payment intents are listed: by ``customer`` or ``created``."""

    object = PaymentIntent.object


class LabRefund(Refund):  # type: ignore[misc] # localstripe ships no type information
    """A refund that never exceeds what is left of its charge, and announces itself."""

    object = Refund.object
    _id_prefix = "re_"

    def __init__(
        self,
        charge: str | None = None,
        payment_intent: str | None = None,
        amount: Any = None,
        reason: str | None = None,
        metadata: Any = None,
        **unknown: Any,
    ) -> None:
        if reason not in REASONS:
            raise refuse("reason", f"Invalid reason: must be one of {', '.join(filter(None, REASONS))}")
        paid = _charge_of(charge, payment_intent)
        left = paid.amount - paid.amount_refunded
        wanted = left if amount is None else whole_number("amount", amount, least=1)
        if left <= 0:
            raise refuse("charge", f"Charge {paid.id} has already been refunded.", "charge_already_refunded")
        if wanted > left:
            message = f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})"
            raise refuse("amount", message)
        super().__init__(charge=paid.id, amount=wanted, metadata=text_map("metadata", metadata), **unknown)
        self.payment_intent = paid.payment_intent
        self.reason = reason
        self.failure_reason = None
        self.receipt_number = None
        announce("refund.created", self)
        announce("charge.refunded", paid)

    @classmethod
    def _api_list_all(cls, url: str, **filters: Any) -> Any:
        return RefundListing._api_list_all(url, **filters)


class RefundListing(Resource):
    """How refunds are listed: by ``charge``, ``payment_intent`` or ``created``."""

    object = Refund.object


def _charge_of(charge: str | None, payment_intent: str | None) -> Any:
    """The charge that a refund request names, by its own id or by its payment intent."""
    if charge is not None:
        return Charge._api_retrieve(charge)
    if payment_intent is None:
        raise refuse("charge", "One of the following params should be provided: charge, payment_intent.")
    intent = PaymentIntent._api_retrieve(payment_intent)
    if intent.latest_charge is None or intent.latest_charge.status == "failed":
        message = f"This PaymentIntent ({payment_intent}) does not have a successful charge to refund."
        raise refuse("payment_intent", message, "payment_intent_unexpected_state")
    return intent.latest_charge
