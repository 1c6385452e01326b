"""What Cloudflare lets through to the API, and how often."""

from typing import Annotated, Literal

from pydantic import Field

from components.specs.network import Frozen
from components.specs.platform.base import Slug

UrlPath = Annotated[str, Field(pattern=r"^/[a-z0-9/._-]*$")]
"""The beginning of a path, in lower case."""

ADMIN_PATHS = ("/admin", "/v1/admin")
WEBHOOK_PATHS = ("/v1/stripe/webhook",)


class WafSpec(Frozen):
    """The web application firewall.

    Attributes:
        blocked: beginnings of paths that nobody reaches by way of Cloudflare: the admins' pages, which are for the VPN.
        trusted: beginnings of paths without rate limits and without Cloudflare's own rules: webhooks, whose sender is
            known by his signature and comes in bursts.
        managed_rulesets: ids of Cloudflare's own rulesets to run; they need a paid plan.
    """

    blocked: tuple[UrlPath, ...] = ADMIN_PATHS
    trusted: tuple[UrlPath, ...] = WEBHOOK_PATHS
    managed_rulesets: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")], ...] = ()


class RateLimitSpec(Frozen):
    """How often one address may ask, counted in each of Cloudflare's data centres.

    Attributes:
        paths: beginnings of the paths that are counted together.
        methods: only these; all if empty.
        requests: so many in
        period: seconds, of those that Cloudflare offers; a free plan offers 10.
        timeout: seconds for which an address that asked more often is refused; a free plan offers 10.
    """

    name: Slug
    paths: Annotated[tuple[UrlPath, ...], Field(min_length=1)]
    methods: tuple[Literal["GET", "POST", "PUT", "PATCH", "DELETE"], ...] = ()
    requests: Annotated[int, Field(ge=1)]
    period: Literal[10, 60, 120, 300, 600, 3600] = 60
    timeout: Literal[10, 60, 120, 300, 600, 3600, 86400] = 60
