"""Prices, and products with what their creation lacks in localstripe."""

from typing import Any

from localstripe import resources
from localstripe.resources import Event, Product, store, try_convert_to_bool

from lab.stripe.objects import Resource, refuse, refuse_unknown, text_map, whole_number

PRODUCT_EXTRAS: dict[str, Any] = {"images": [], "marketing_features": [], "tax_code": None, "unit_label": None}


def announce(kind: str, subject: Any) -> None:
    """Make an event and have it delivered by way of localstripe's own hook (see lab.stripe.server)."""
    resources.schedule_webhook(Event(kind, subject))


def currency_code(value: Any) -> str:
    """A three-letter code in lower case, as Stripe keeps it."""
    code = str(value or "").lower()
    if len(code) != 3 or not code.isalpha():  # noqa: PLR2004 - ISO 4217
        raise refuse("currency", f"Invalid currency: {value}. Stripe wants a three-letter ISO code, like eur.")
    return code


class LabProduct(Product):  # type: ignore[misc] # localstripe ships no type information
    """A product; ``default_price_data`` makes its default price in the same request."""

    object = Product.object
    _id_prefix = "prod_"

    def __init__(self, default_price_data: dict[str, Any] | None = None, **data: Any) -> None:
        extras = {name: data.pop(name, default) for name, default in PRODUCT_EXTRAS.items()}
        super().__init__(**data)
        for name, value in extras.items():
            setattr(self, name, value)
        self.updated = self.created
        self.default_price = None
        if default_price_data is not None:
            self.default_price = Price(product=self.id, **default_price_data).id

    def _update(self, **data: Any) -> None:
        super()._update(**{key: try_convert_to_bool(value) for key, value in data.items()})
        announce("product.updated", self)

    @classmethod
    def _api_list_all(cls, url: str, **filters: Any) -> Any:
        return ProductListing._api_list_all(url, **filters)


class ProductListing(Resource):
    """How products are listed."""

    object = Product.object

    @classmethod
    def _matches(cls, item: Any, filters: dict[str, Any]) -> bool:
        known = dict(filters)
        ids = known.pop("ids", None)
        return (ids is None or item.id in ids) and super()._matches(item, known)


class Price(Resource):
    """A price in whole cents, once (``one_time``) or each interval (``recurring``)."""

    object = "price"
    _id_prefix = "price_"
    _changeable = frozenset({"metadata", "active", "nickname", "lookup_key", "tax_behavior", "transfer_lookup_key"})

    def __init__(  # noqa: PLR0913, PLR0917 - the parameters of Stripe's own request
        self,
        currency: Any = None,
        unit_amount: Any = None,
        product: Any = None,
        product_data: dict[str, Any] | None = None,
        recurring: dict[str, Any] | None = None,
        active: Any = True,  # noqa: FBT002 - the parameters of Stripe's own request
        nickname: str | None = None,
        lookup_key: str | None = None,
        transfer_lookup_key: Any = False,  # noqa: FBT002 - the parameters of Stripe's own request
        tax_behavior: str = "unspecified",
        billing_scheme: str = "per_unit",
        metadata: Any = None,
        **unknown: Any,
    ) -> None:
        refuse_unknown(unknown)
        code, amount = currency_code(currency), whole_number("unit_amount", unit_amount)
        kept = text_map("metadata", metadata)
        if billing_scheme != "per_unit":
            raise refuse("billing_scheme", "The lab's prices are per_unit only.")
        if (product is None) == (product_data is None):
            raise refuse("product", "You must specify either `product` or `product_data`.", "parameter_missing")
        _claim(lookup_key, transfer=bool(try_convert_to_bool(transfer_lookup_key)))
        owner = Product._api_retrieve(product) if product else LabProduct(**(product_data or {}))
        super().__init__()
        self.active = try_convert_to_bool(active)
        self.billing_scheme = billing_scheme
        self.currency = code
        self.custom_unit_amount = None
        self.lookup_key = lookup_key
        self.metadata = kept
        self.nickname = nickname
        self.product = owner.id
        self.recurring = _interval(recurring)
        self.tax_behavior = tax_behavior
        self.tiers_mode = None
        self.transform_quantity = None
        self.type = "recurring" if recurring else "one_time"
        self.unit_amount = amount
        self.unit_amount_decimal = str(amount)
        announce("price.created", self)

    def _update(self, **data: Any) -> None:
        transfer = bool(try_convert_to_bool(data.pop("transfer_lookup_key", False)))
        if data.get("lookup_key") and data["lookup_key"] != self.lookup_key:
            _claim(data["lookup_key"], transfer=transfer)
        super()._update(**data)
        announce("price.updated", self)

    @classmethod
    def _matches(cls, item: Any, filters: dict[str, Any]) -> bool:
        known = dict(filters)
        keys = known.pop("lookup_keys", None)
        return (keys is None or item.lookup_key in keys) and super()._matches(item, known)


def _interval(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    if given.get("interval") not in {"day", "week", "month", "year"}:
        raise refuse("recurring[interval]", "Invalid recurring[interval]: must be one of day, week, month, or year")
    count = whole_number("recurring[interval_count]", given.get("interval_count", 1), least=1)
    usage = given.get("usage_type", "licensed")
    return {"interval": given["interval"], "interval_count": count, "usage_type": usage, "meter": None}


def _claim(lookup_key: str | None, *, transfer: bool) -> None:
    """A lookup key belongs to one price; it moves only if the request says so."""
    holders = [item for key, item in store.items() if key.startswith("price:") and item.lookup_key == lookup_key]
    for holder in holders if lookup_key else ():
        if not transfer:
            message = f"A price (`{holder.id}`) already uses that lookup key."
            raise refuse("lookup_key", message, "resource_already_exists")
        holder.lookup_key = None
