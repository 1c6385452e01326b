"""The three ways that the API's name leads to the API."""

from dataclasses import dataclass

import pulumi
from pulumi_cloudflare import (
    DnsRecord,
    LoadBalancer,
    LoadBalancerMonitor,
    LoadBalancerPool,
    LoadBalancerPoolOriginArgs,
    LoadBalancerPoolOriginHeaderArgs,
    ZeroTrustTunnelCloudflared,
    ZeroTrustTunnelCloudflaredConfig,
    ZeroTrustTunnelCloudflaredConfigConfigArgs,
    ZeroTrustTunnelCloudflaredConfigConfigIngressArgs,
    ZeroTrustTunnelCloudflaredConfigConfigIngressOriginRequestArgs,
)

from components.specs.platform.edge import AUTOMATIC_TTL, BalancerSpec, OriginSpec, PooledEntrySpec, TunnelEntrySpec

_COMMENT = "slipway edge: the API"
_HEALTHY = "200"


@dataclass(frozen=True, slots=True)
class ApiPlace:
    """Where the API's name belongs.

    Attributes:
        account_id: Cloudflare's, which tunnels and pools are in.
        zone_id: the zone that the name is in.
        hostname: the full name.
    """

    account_id: str
    zone_id: pulumi.Input[str]
    hostname: str


class ProxiedEntry(pulumi.ComponentResource):
    """The API's name as a record that Cloudflare answers for with addresses of its own.

    Args:
        kind: of the record.
        content: where Cloudflare sends what comes in.
    """

    def __init__(
        self,
        name: str,
        place: ApiPlace,
        *,
        kind: str,
        content: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:ProxiedEntry", name, None, opts)
        DnsRecord(
            name,
            zone_id=place.zone_id,
            name=place.hostname,
            type=kind,
            content=content,
            ttl=AUTOMATIC_TTL,
            proxied=True,
            comment=_COMMENT,
            # Cloudflare refuses a second record of the same name and content (pulumi/pulumi-cloudflare#325).
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.register_outputs({})


class Tunnel(pulumi.ComponentResource):
    """A tunnel that Cloudflare configures, to the load balancer inside.

    Its secret is Cloudflare's: it is no input, no output and in no state. The connectors' hosts ask for the token when
    they are set up (docs/edge.md).
    """

    tunnel_id: pulumi.Output[str]
    target: pulumi.Output[str]
    """What the API's record names."""

    def __init__(
        self,
        name: str,
        spec: TunnelEntrySpec,
        *,
        place: ApiPlace,
        balancer: BalancerSpec,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:Tunnel", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tunnel = ZeroTrustTunnelCloudflared(
            name, account_id=place.account_id, name=spec.name, config_src="cloudflare", opts=child
        )
        has_tls = balancer.certificate is not None
        origin = ZeroTrustTunnelCloudflaredConfigConfigIngressOriginRequestArgs(origin_server_name=place.hostname)
        to_api = ZeroTrustTunnelCloudflaredConfigConfigIngressArgs(
            hostname=place.hostname,
            service=f"{'https' if has_tls else 'http'}://{balancer.private_address}:{balancer.listen_port}",
            origin_request=origin if has_tls else None,
        )
        nothing_else = ZeroTrustTunnelCloudflaredConfigConfigIngressArgs(service="http_status:404")
        ZeroTrustTunnelCloudflaredConfig(
            name,
            account_id=place.account_id,
            tunnel_id=tunnel.id,
            config=ZeroTrustTunnelCloudflaredConfigConfigArgs(ingresses=[to_api, nothing_else]),
            opts=child,
        )
        self.tunnel_id = tunnel.id
        self.target = pulumi.Output.concat(tunnel.id, ".cfargotunnel.com")
        self.register_outputs({"tunnel_id": self.tunnel_id})


class PooledEntry(pulumi.ComponentResource):
    """The API's name as a load balancer of Cloudflare's, over one pool that Cloudflare looks at itself."""

    def __init__(
        self,
        name: str,
        spec: PooledEntrySpec,
        *,
        place: ApiPlace,
        own: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:PooledEntry", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        header = LoadBalancerPoolOriginHeaderArgs(hosts=[place.hostname])
        monitor = LoadBalancerMonitor(
            name,
            account_id=place.account_id,
            type="https",
            method="GET",
            path=spec.health_path,
            expected_codes=_HEALTHY,
            header={"Host": [place.hostname]},
            interval=spec.interval,
            description=f"{place.hostname} is ready",
            opts=child,
        )
        origins = [_origin(item, header) for item in spec.origins]
        if own is not None:
            origins.insert(0, LoadBalancerPoolOriginArgs(name="own", address=own, header=header))
        pool = LoadBalancerPool(
            name,
            account_id=place.account_id,
            # Pools are the whole account's, so the zone is in the name.
            name=place.hostname.replace(".", "-"),
            monitor=monitor.id,
            origins=origins,
            opts=child,
        )
        LoadBalancer(
            name,
            zone_id=place.zone_id,
            name=place.hostname,
            default_pools=[pool.id],
            fallback_pool=pool.id,
            proxied=True,
            opts=child,
        )
        self.register_outputs({})


def _origin(spec: OriginSpec, header: LoadBalancerPoolOriginHeaderArgs) -> LoadBalancerPoolOriginArgs:
    return LoadBalancerPoolOriginArgs(name=spec.name, address=spec.address, weight=spec.weight, header=header)
