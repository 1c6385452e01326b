"""The estate's zone at Cloudflare, with its settings, the provider's own records, and the rules before the API."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_cloudflare import DnsRecord, Ruleset, RulesetRuleArgs, Zone, ZoneAccountArgs, ZoneSetting

from components.platform.edge.rules import Rule, managed_rules, rate_rules, waf_rules
from components.specs.platform.edge import EdgeZoneSpec, RecordSpec
from components.specs.platform.edge_rules import RateLimitSpec, WafSpec


class EdgeZone(pulumi.ComponentResource):
    """A zone, made or there already, and its settings.

    A zone of this stack's own goes with the stack, and every record in it. Settings stay in a zone that stays.
    """

    zone_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        spec: EdgeZoneSpec,
        *,
        account_id: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:EdgeZone", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.zone_id = self._zone(name, spec, account_id)
        self.settings = [
            ZoneSetting(f"{name}-{setting}", zone_id=self.zone_id, setting_id=setting, value=value, opts=self._child)
            for setting, value in sorted(spec.settings.items())
        ]
        self.register_outputs({"zone_id": self.zone_id})

    def _zone(self, name: str, spec: EdgeZoneSpec, account_id: str) -> pulumi.Output[str]:
        if spec.id is not None:
            return pulumi.Output.from_input(spec.id)
        # Zones move between accounts by hand only, and to replace one for it would end every name in it.
        options = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(ignore_changes=["account"]))
        account = ZoneAccountArgs(id=account_id)
        zone_id: pulumi.Output[str] = Zone(name, name=spec.name, account=account, type="full", opts=options).id
        return zone_id


class OwnRecords(pulumi.ComponentResource):
    """The provider's own records."""

    def __init__(
        self,
        name: str,
        records: Sequence[RecordSpec],
        *,
        zone_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:OwnRecords", name, None, opts)
        self._child = pulumi.ResourceOptions(
            parent=self,
            # Cloudflare refuses a second record of the same name and content (pulumi/pulumi-cloudflare#325).
            delete_before_replace=True,
        )
        self.records = [
            DnsRecord(
                f"{name}-{label}",
                zone_id=zone_id,
                name=record.name,
                type=record.type,
                content=record.content,
                priority=record.priority,
                proxied=record.proxied,
                ttl=record.ttl,
                comment="slipway edge",
                opts=self._child,
            )
            for label, record in labelled(records).items()
        ]
        self.register_outputs({})


def labelled(records: Sequence[RecordSpec]) -> Mapping[str, RecordSpec]:
    """The records by a name in the stack that another record's coming or going does not change."""
    found: dict[str, RecordSpec] = {}
    for record in records:
        name = {"@": "apex"}.get(record.name, record.name.replace("*", "any"))
        label = f"{name}-{record.type.lower()}"
        same = [item for item in records if (item.name, item.type) == (record.name, record.type)]
        found[label if len(same) == 1 else f"{label}-{record.content}"] = record
    return found


class EdgeRules(pulumi.ComponentResource):
    """The zone's rulesets: one for each phase that has rules, for Cloudflare has no room for two."""

    def __init__(
        self,
        name: str,
        *,
        zone_id: pulumi.Input[str],
        waf: WafSpec,
        limits: Sequence[RateLimitSpec],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("slipway:platform:EdgeRules", name, None, opts)
        self._name, self._zone_id = name, zone_id
        phases = {
            "http_request_firewall_custom": waf_rules(waf),
            "http_request_firewall_managed": managed_rules(waf),
            "http_ratelimit": rate_rules(limits, waf.trusted),
        }
        self.rulesets = [self._ruleset(phase, rules) for phase, rules in phases.items() if rules]
        self.register_outputs({})

    def _ruleset(self, phase: str, rules: Sequence[Rule]) -> Ruleset:
        return Ruleset(
            f"{self._name}-{phase.removeprefix('http_').replace('_', '-')}",
            zone_id=self._zone_id,
            kind="zone",
            name=f"{self._name} {phase}",
            phase=phase,
            rules=[RulesetRuleArgs(**rule) for rule in rules],
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
