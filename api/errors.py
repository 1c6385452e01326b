"""What can go wrong, free of HTTP. One handler in ``api.problems`` renders these as RFC 9457 problem details."""

from collections.abc import Mapping
from typing import Any, ClassVar


class SlipwayError(Exception):
    """Base of our errors.

    Attributes:
        code: stable, for programs; the class decides it unless an instance narrows it.
        status: the HTTP status the API answers with, a plain number so that services stay free of HTTP classes.
        retryable: whether the same request may succeed later without a change.
        detail: a sentence for a person that names the field and the fix.
        fields: extra members of the problem document, never secret.
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong on our side"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, **fields: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields: Mapping[str, Any] = fields


class NotFound(SlipwayError):  # noqa: N818 - the domain's word
    """The thing does not exist, or belongs to another customer: the two are not told apart."""

    code = "not_found"
    title = "Not found"
    status = 404


class InvalidInput(SlipwayError):  # noqa: N818 - the domain's word
    """The request is well formed but cannot be meant."""

    code = "invalid_input"
    title = "The request cannot be carried out as it is"
    status = 422


class Conflict(SlipwayError):  # noqa: N818 - the domain's word
    """The thing is not in a state in which this can be done."""

    code = "conflict"
    title = "Conflict with the present state"
    status = 409


class IdempotencyMismatch(Conflict):
    """An Idempotency-Key was used again with another request."""

    code = "idempotency_key_reused"
    title = "Idempotency-Key used for another request"


class IllegalTransition(Conflict):
    """A state machine was asked for a move it does not have."""

    code = "illegal_transition"


class Unauthenticated(SlipwayError):  # noqa: N818 - the domain's word
    """No valid credentials."""

    code = "unauthenticated"
    title = "Log in or send a valid API token"
    status = 401


class Forbidden(SlipwayError):  # noqa: N818 - the domain's word
    """The credentials are valid but do not allow this."""

    code = "forbidden"
    title = "Not allowed"
    status = 403


class RateLimited(SlipwayError):  # noqa: N818 - the domain's word
    """Too many requests; ``retry_after_seconds`` says when to come back."""

    code = "rate_limited"
    title = "Too many requests"
    status = 429
    retryable = True


class PayloadTooLarge(SlipwayError):  # noqa: N818 - the domain's word
    """The body is larger than the route accepts."""

    code = "payload_too_large"
    title = "Request body too large"
    status = 413


class BadWebhook(SlipwayError):  # noqa: N818 - the domain's word
    """A webhook that cannot be shown to come from Stripe."""

    code = "bad_webhook"
    title = "The webhook could not be verified"
    status = 400


class NoCapacity(SlipwayError):  # noqa: N818 - the domain's word
    """No node has room, or no address is free; nothing was charged."""

    code = "no_capacity"
    title = "Sold out for now"
    status = 409
    retryable = True


class SpendLimitReached(Conflict):
    """The account's workloads would cost more than it may spend; nothing was charged."""

    code = "spend_limit"
    title = "Beyond this account's monthly limit"


class PaymentsUnavailable(SlipwayError):  # noqa: N818 - the domain's word
    """Stripe cannot be reached; nothing is lost and nothing was charged."""

    code = "payments_unavailable"
    title = "The payment service cannot be reached"
    status = 503
    retryable = True


class LeaseLost(SlipwayError):  # noqa: N818 - the domain's word
    """Another worker owns the operation now: the result at hand must be dropped."""

    code = "lease_lost"
    title = "Another worker has taken this operation over"
    status = 409
