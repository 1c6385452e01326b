"""Firewall answers where fakepve's schema and Proxmox VE's own answers part."""

from typing import Any

from fakepve import FakePve


class FirewallAnswers(FakePve):  # type: ignore[misc] # fakepve ships no type information
    """Rules as Proxmox VE answers them."""

    async def _fw_rule_get(self, scope: Any, v: dict[str, Any], user: str) -> dict[str, Any]:
        """One rule: its position comes from the path, so Proxmox VE's Perl answers it as a string.

        The schema declares an integer, and so the list of rules has it; the provider decodes the one as a string and
        the other as a number (``RuleGetResponseData``, ``RuleListResponseData``).
        """
        rule = await super()._fw_rule_get(scope, v, user)
        return {**rule, "pos": str(rule["pos"])}
