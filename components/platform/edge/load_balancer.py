"""The Hetzner Cloud load balancer before the API's servers."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_hcloud as hcloud

from components.specs.platform.edge import BalancerSpec

_TIMEOUT, _RETRIES = 3, 3
_TLS_PORT = 443


class LoadBalancer(pulumi.ComponentResource):
    """Takes requests by TLS if it has a certificate, and sends them to whoever is ready, inside the network.

    A certificate is managed by Hetzner, or one that was put there by hand: no private key is in the stack's state.
    """

    load_balancer_id: pulumi.Output[str]
    ipv4: pulumi.Output[str]
    """The public address that it has even while its public interface is off."""

    def __init__(
        self,
        name: str,
        spec: BalancerSpec,
        *,
        subnet_id: pulumi.Input[str],
        labels: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:LoadBalancer", name, None, opts)
        self._name, self._spec, self._labels = name, spec, dict(labels)
        self._child = pulumi.ResourceOptions(parent=self)
        balancer = hcloud.LoadBalancer(
            name,
            name=spec.name,
            load_balancer_type=spec.type,
            location=spec.location,
            algorithm=hcloud.LoadBalancerAlgorithmArgs(type="least_connections"),
            labels=self._labels,
            opts=self._child,
        )
        self.load_balancer_id, self.ipv4 = balancer.id, balancer.ipv4
        inside = hcloud.LoadBalancerNetwork(
            name,
            load_balancer_id=balancer.id.apply(int),
            subnet_id=subnet_id,
            ip=str(spec.private_address),
            enable_public_interface=spec.is_public,
            opts=self._child,
        )
        self._service()
        self._targets(inside)
        self.register_outputs({"load_balancer_id": self.load_balancer_id, "ipv4": self.ipv4})

    def _service(self) -> None:
        spec, certificate = self._spec, self._certificate()
        http = hcloud.LoadBalancerServiceHttpArgs(
            certificates=[certificate] if certificate is not None else None,
            redirect_http=certificate is not None,
        )
        hcloud.LoadBalancerService(
            self._name,
            load_balancer_id=self.load_balancer_id,
            protocol="http" if certificate is None else "https",
            listen_port=spec.listen_port,
            destination_port=spec.port,
            http=http,
            health_check=hcloud.LoadBalancerServiceHealthCheckArgs(
                protocol="http",
                port=spec.port,
                interval=spec.interval,
                timeout=min(_TIMEOUT, spec.interval),
                retries=_RETRIES,
                http=hcloud.LoadBalancerServiceHealthCheckHttpArgs(path=spec.health_path, status_codes=["200"]),
            ),
            opts=self._child,
        )

    def _certificate(self) -> pulumi.Output[int] | None:
        wanted = self._spec.certificate
        if wanted is None:
            return None
        if wanted.kind == "stored":
            options = pulumi.InvokeOutputOptions(parent=self)
            stored = hcloud.get_certificate_output(name=wanted.name, opts=options)
            return pulumi.Output.from_input(stored.id).apply(int)
        names = list(wanted.names)
        made = hcloud.ManagedCertificate(
            self._name, name=self._spec.name, domain_names=names, labels=self._labels, opts=self._child
        )
        return pulumi.Output.from_input(made.id).apply(int)

    def _targets(self, inside: hcloud.LoadBalancerNetwork) -> None:
        """Only once it is in the network: targets are reached by their private addresses."""
        wanted: dict[str, dict[str, Any]] = {
            f"{self._name}-{server}": {"type": "server", "server_id": server} for server in self._spec.servers
        }
        if self._spec.selector is not None:
            wanted[self._name] = {"type": "label_selector", "label_selector": self._spec.selector}
        for label, target in wanted.items():
            hcloud.LoadBalancerTarget(
                label,
                load_balancer_id=self.load_balancer_id.apply(int),
                use_private_ip=True,
                opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[inside])),
                **target,
            )
