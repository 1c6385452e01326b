"""Tunnels from a network of ours to Cloudflare's edge, with the properties of ``pulumi_cloudflare`` 6.23.1.

What Cloudflare answers when a tunnel is made holds the tunnel's secret; it is no property, so it is in no state.
Whoever runs the connector asks for the token at that time (``GET /accounts/…/cfd_tunnel/…/token``).
"""

from collections.abc import Mapping
from typing import Any

from automation.toolchain.plugins.cloudflare.meaning import means
from automation.toolchain.plugins.cloudflare.model import Failure, Field, Properties, ResourceModel, ZoneName

# The API's names in a tunnel's configuration are in camel case, unlike all its others.
_CAMEL = (
    "originRequest caPool connectTimeout disableChunkedEncoding http2Origin httpHostHeader keepAliveConnections "
    "keepAliveTimeout noHappyEyeballs originServerName proxyType tcpKeepAlive tlsTimeout teamName"
)
_OTHERS = {
    "ingresses": "ingress",
    "noTlsVerify": "noTLSVerify",
    "matchSnItoHost": "matchSNItoHost",
    "audTags": "audTag",
}
NAMES: Mapping[str, str] = {**{name: name for name in _CAMEL.split()}, **_OTHERS}

_DEFAULTS: Mapping[str, Any] = {"warp-routing": {"enabled": False}}


def _same(name: str, declared: Properties, live: Any, _: ZoneName) -> bool:
    """Whether Cloudflare's configuration means what was declared; the order of its rules counts."""
    return means(declared[name], live, _DEFAULTS)


def _validate_tunnel(inputs: Properties) -> list[Failure]:
    if "tunnelSecret" in inputs:
        reason = "would be in the stack's state: leave it out, Cloudflare makes one, and 'configSrc' is 'cloudflare'"
        return [Failure("tunnelSecret", reason)]
    return []


def _validate_configuration(inputs: Properties) -> list[Failure]:
    config = inputs.get("config")
    rules = config.get("ingresses") if isinstance(config, dict) else None
    if not isinstance(rules, list) or not rules or not isinstance(rules[-1], dict):
        return []
    if rules[-1].get("hostname") or rules[-1].get("path"):
        reason = "the last of 'ingresses' must take every request: end with one that has only a 'service'"
        return [Failure("config", reason)]
    return []


TUNNEL = ResourceModel(
    token="cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared",  # noqa: S106 -- a type token
    collection="/accounts/{accountId}/cfd_tunnel",
    parent="accountId",
    update_method="PATCH",
    fields=(
        Field("accountId", "string", "required", replaces=True, local=True),
        Field("name", "string", "required"),
        Field("configSrc", "string", "optional", replaces=True),
        Field("tunnelSecret", "string", "optional"),
        Field("accountTag", "string"),
        Field("connections", "array"),
        Field("connsActiveAt", "string"),
        Field("connsInactiveAt", "string"),
        Field("createdAt", "string"),
        Field("deletedAt", "string"),
        Field("metadata", "json"),
        Field("remoteConfig", "boolean"),
        Field("status", "string"),
        Field("tunType", "string"),
    ),
    validate=_validate_tunnel,
    conflict_query=lambda inputs: {"name": str(inputs.get("name")), "is_deleted": "false"},
    is_gone=lambda answer: answer.get("deleted_at") is not None,
)

TUNNEL_CONFIGURATION = ResourceModel(
    token="cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig",  # noqa: S106 -- the same
    collection="/accounts/{accountId}/cfd_tunnel",
    suffix="/configurations",
    parent="accountId",
    singleton="tunnelId",
    update_method="PUT",
    fields=(
        Field("accountId", "string", "required", replaces=True, local=True),
        Field("tunnelId", "string", "required", replaces=True, local=True),
        Field("config", "object", "optional"),
        Field("source", "string", "optional", local=True),
        Field("createdAt", "string"),
        Field("version", "integer"),
    ),
    validate=_validate_configuration,
    same=_same,
    names=NAMES,
)
