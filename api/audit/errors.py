"""What can go wrong with the audit trail."""

from api.errors import InvalidInput, SlipwayError


class TrailUnusable(SlipwayError):  # noqa: N818 - says what is the matter
    """The trail cannot be appended to, and what is not recorded must not happen."""

    code = "audit_trail_unusable"
    title = "The audit trail cannot be written"
    status = 503
    retryable = True


class BadAnchor(InvalidInput):
    """The head to compare with is not in the form that ``slipway audit head`` prints."""

    code = "bad_anchor"
