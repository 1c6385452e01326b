"""Checkout Sessions in payment mode (docs.stripe.com/api/checkout/sessions)."""

import time
from typing import Any

from localstripe.errors import UserError
from localstripe.resources import Customer, List, PaymentMethod, Product

from lab.stripe.objects import Resource, refuse, refuse_unknown, text_map, whole_number
from lab.stripe.payments import LabPaymentIntent
from lab.stripe.prices import Price, announce

SOONEST_EXPIRY, LATEST_EXPIRY = 30 * 60, 24 * 3600
"""Seconds after creation between which ``expires_at`` may lie; without it a session lives for a day."""

SMALLEST_TOTAL = 50
"""Cents below which Stripe takes no card payment."""

MOST_LINE_ITEMS = 100
PASSIVE = {
    "allow_promotion_codes": None,
    "automatic_tax": {"enabled": False, "liability": None, "status": None},
    "billing_address_collection": None,
    "consent_collection": None,
    "custom_text": {},
    "excluded_payment_method_types": None,
    "invoice_creation": {"enabled": False},
    "locale": None,
    "payment_method_options": {},
    "phone_number_collection": {"enabled": False},
    "submit_type": None,
    "tax_id_collection": {"enabled": False},
}
"""Parameters that change nothing here: kept and shown as given, with Stripe's defaults."""


class LineItem(Resource):
    """One line of a session: so many of one price."""

    object = "item"
    _id_prefix = "li_"

    def __init__(self, number: int, given: dict[str, Any]) -> None:
        param = f"line_items[{number}]"
        known = {key: value for key, value in given.items() if key not in {"price", "price_data", "quantity"}}
        refuse_unknown({f"{param}[{key}]": value for key, value in known.items() if key != "adjustable_quantity"})
        quantity = whole_number(f"{param}[quantity]", given.get("quantity", 1), least=1)
        price = _price_of(param, given)
        super().__init__()
        self.price = price
        self.quantity = quantity
        self.currency = price.currency
        self.description = Product._api_retrieve(price.product).name
        self.amount_subtotal = self.amount_total = price.unit_amount * quantity
        self.amount_discount = self.amount_tax = 0
        self.metadata = {}


def _price_of(param: str, given: dict[str, Any]) -> Any:
    if ("price" in given) == ("price_data" in given):
        raise refuse(param, f"You must specify either `{param}[price]` or `{param}[price_data]`.", "parameter_missing")
    price = Price._api_retrieve(given["price"]) if "price" in given else Price(**given["price_data"])
    if price.recurring:
        message = "You specified `payment` mode but passed a recurring price."
        raise refuse(param, message)
    if not price.active:
        raise refuse(param, f"The price {price.id} is inactive.", "price_inactive")
    return price


class CheckoutSession(Resource):
    """A session: open until it is paid (``complete``) or its time is over (``expired``)."""

    object = "checkout.session"
    _id_prefix = "cs_test_"

    def __init__(  # noqa: PLR0913, PLR0917 - the parameters of Stripe's own request
        self,
        base_url: str,
        mode: str | None = None,
        success_url: str | None = None,
        cancel_url: str | None = None,
        line_items: Any = None,
        client_reference_id: str | None = None,
        customer: str | None = None,
        customer_email: str | None = None,
        customer_creation: str | None = None,
        payment_intent_data: dict[str, Any] | None = None,
        payment_method_types: list[str] | None = None,
        ui_mode: str = "hosted",
        metadata: Any = None,
        expires_at: Any = None,
        **more: Any,
    ) -> None:
        refuse_unknown({key: value for key, value in more.items() if key not in PASSIVE})
        if mode != "payment":
            raise refuse("mode", "The lab serves mode=payment only; mode must be payment.")
        if not success_url:
            raise refuse("success_url", "Missing required param: success_url.", "parameter_missing")
        expiry = _expiry(expires_at)
        kept = text_map("metadata", metadata)
        if customer:
            Customer._api_retrieve(customer)
        items = _line_items(line_items)
        total = sum(item.amount_total for item in items)
        if total < SMALLEST_TOTAL:
            message = "The Checkout Session's total amount must convert to at least 50 cents."
            raise refuse("line_items", message, "amount_too_small")
        super().__init__()
        self._line_items = items
        self._intent_data = payment_intent_data or {}
        self.amount_subtotal = self.amount_total = total
        self.cancel_url = cancel_url
        self.client_reference_id = client_reference_id
        self.currency = items[0].currency
        self.customer = customer
        self.customer_creation = customer_creation or "if_required"
        self.customer_details = {"email": customer_email} if customer_email else None
        self.customer_email = customer_email
        self.expires_at = expiry
        self.metadata = kept
        self.mode = mode
        self.payment_intent: str | None = None
        self.payment_method_types = payment_method_types or ["card"]
        self.payment_status = "unpaid"
        self.status = "open"
        self.success_url = success_url
        self.total_details = {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}
        self.ui_mode = ui_mode
        self.url: str | None = f"{base_url}/c/pay/{self.id}"
        for name, default in PASSIVE.items():
            setattr(self, name, more.get(name, default))

    @classmethod
    def find(cls, number: str) -> "CheckoutSession":
        """The session, or Stripe's 404."""
        session: CheckoutSession = cls._api_retrieve(number)
        return session

    @property
    def _is_due(self) -> bool:
        return self.status == "open" and time.time() >= self.expires_at

    def pay(self, card: str) -> None:
        """Pay by card: the session completes, or stays open where the card is declined.

        Raises:
            UserError: 402 for a declined card, 400 for a session that is no longer open.
        """
        self._need_open()
        details = {"number": card, "exp_month": "12", "exp_year": "2035", "cvc": "123"}
        method = PaymentMethod(type="card", card=details)
        if method._attaching_is_declined() or method._requires_authentication():
            raise UserError(402, "Your card was declined.", {"code": "card_declined"})
        intent = LabPaymentIntent._api_create(
            amount=self.amount_total,
            currency=self.currency,
            customer=self.customer,
            payment_method=method.id,
            metadata=text_map("metadata", self._intent_data.get("metadata")),
            description=self._intent_data.get("description"),
            confirm=True,
        )
        self.payment_intent = intent.id
        self.payment_status, self.status, self.url = "paid", "complete", None
        if self.customer is None and self.customer_creation == "always":
            self.customer = Customer(email=self.customer_email).id
        announce("checkout.session.completed", self)

    def expire(self) -> None:
        """End an open session unpaid.

        Raises:
            UserError: 400 for a session that is not open.
        """
        self._need_open()
        self.status, self.url = "expired", None
        announce("checkout.session.expired", self)

    def _need_open(self) -> None:
        if self.status != "open":
            message = f'Only Checkout Sessions with a status in ["open"] can be used; this one is {self.status}.'
            raise refuse("session", message, "resource_invalid_state")

    @classmethod
    def expire_due(cls) -> None:
        """Expire every open session whose time has come."""
        for session in cls._api_list_all("/v1/checkout/sessions", limit=100, status="open")._list:
            if session._is_due:
                session.expire()

    def line_items_page(self, **paging: Any) -> Any:
        """The lines as a list object."""
        page = List(f"/v1/checkout/sessions/{self.id}/line_items", **paging)
        page._list = self._line_items
        return page

    def _export(self, expand: list[str] | None = None) -> dict[str, Any]:
        wanted = list(expand or [])
        rest = [path for path in wanted if path != "line_items" and not path.startswith("line_items.")]
        shown: dict[str, Any] = super()._export(rest)
        for name in ("line_items_page", "pay", "expire", "expire_due", "find"):
            shown.pop(name, None)  # localstripe shows every public attribute, methods included
        if len(rest) < len(wanted):
            shown["line_items"] = self.line_items_page()._export()
        return shown


def _expiry(given: Any) -> int:
    """When a session ends, in epoch seconds."""
    now = int(time.time())
    if given is None:
        return now + LATEST_EXPIRY
    expiry = whole_number("expires_at", given)
    # Two seconds of grace: the client's clock was read before the request travelled.
    if expiry < now + SOONEST_EXPIRY - 2:
        message = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
        raise refuse("expires_at", message)
    if expiry > now + LATEST_EXPIRY:
        message = "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."
        raise refuse("expires_at", message)
    return expiry


def _line_items(given: Any) -> list[LineItem]:
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_LINE_ITEMS:
        raise refuse("line_items", "You must specify 1 to 100 `line_items`.", "parameter_missing")
    items = [LineItem(number, item) for number, item in enumerate(given)]
    if len({item.currency for item in items}) > 1:
        raise refuse("line_items", "All line items must have the same currency.")
    return items
