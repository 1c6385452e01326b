"""A node's own firewall: groups of rules first, the switch last, so that nobody is locked out on the way."""

import pulumi
from pulumi_proxmoxve import cluster, firewall, node
from pulumi_proxmoxve.cluster.firewall import security

from components.specs.platform.node_firewall import FirewallRule, NodeFirewallSpec, SecurityGroup


def declare_firewall(name: str, spec: NodeFirewallSpec, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """Declare groups, the order in which they hold on the node, and the switch; return the last.

    When it is destroyed, the datacenter's settings stay as they are: the provider has no delete for them.
    """
    last: pulumi.Resource | None = None
    groups = [_group(f"{name}-{group.name}", group, opts) for group in spec.groups]
    if groups:
        used = [firewall.RulesLegacyRuleArgs(security_group=group.name, enabled=True) for group in groups]
        last = firewall.RulesLegacy(name, node_name=name, rules=used, opts=opts)
    waits = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[last] if last is not None else []))
    host = node.Firewall(name, node_name=name, enabled=spec.is_enabled, ndp=True, nosmurfs=True, opts=waits)
    switch: pulumi.Resource = cluster.FirewallLegacy(
        name,
        enabled=spec.is_enabled,
        ebtables=True,
        input_policy="DROP",
        output_policy="ACCEPT",
        forward_policy="ACCEPT",
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[host])),
    )
    return switch


def _group(name: str, group: SecurityGroup, opts: pulumi.ResourceOptions) -> security.GroupLegacy:
    rules = [_rule(rule) for rule in group.rules]
    return security.GroupLegacy(name, name=group.name, comment=group.comment, rules=rules, opts=opts)


def _rule(rule: FirewallRule) -> security.GroupLegacyRuleArgs:
    return security.GroupLegacyRuleArgs(
        type=rule.direction,
        action=rule.action,
        enabled=True,
        proto=rule.protocol,
        dport=rule.ports,
        source=",".join(map(str, rule.sources)) or None,
        comment=rule.comment or None,
    )
