"""Rules about the provider's own stacks: asked of every platform run, and by the pack of ``pulumi … --policy-pack``.

Pure, as the workloads' rules are. They need no fact but the plan.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from components.plans import PlanDocument
from components.policy.context import PolicyContext
from components.policy.rule import Rule
from components.policy.shapes import kept, label

_PACKAGES = ("cloudflare:", "hcloud:", "proxmoxve:", "pulumi-python:dynamic/slipway:", "pulumi:providers:", "slipway:")
_ENGINES_OWN = frozenset({"pulumi:pulumi:Stack", "pulumi:pulumi:StackReference"})
_SECRET_NAME = re.compile(r"(?i)(password|passwd|secret|apitoken|privatekey|passphrase|credential)$")
_SECRET_TEXT = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|(?im:^\s*(?:password|passwd|chpasswd|api[_-]?token):\s*\S)"
)
_BOOT_TEXTS = frozenset({"userData", "user_data"})
_CLOUD_FIREWALL = "hcloud:index/firewall:Firewall"
_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})
_MANAGEMENT = frozenset({22, 3000, 3100, 5432, 6379, 8006, 8007, 9090, 9093})
"""Shell, Grafana, Loki, PostgreSQL, Redis, Proxmox VE, Proxmox Backup Server, Prometheus, Alertmanager."""


def _check_types(document: PlanDocument, _context: PolicyContext) -> Iterator[str]:
    for step in kept(document):
        if not step.type.startswith(_PACKAGES) and step.type not in _ENGINES_OWN:
            yield f"{label(step)} is of the type '{step.type}', which no platform stack of ours is made of"


def _check_credentials(document: PlanDocument, _context: PolicyContext) -> Iterator[str]:
    for step in kept(document):
        for path, value in _texts(step.inputs):
            name = path.rpartition(".")[2]
            if _SECRET_NAME.search(name.replace("_", "")):
                yield f"'{path}' of {label(step)} is a credential: put it into the engine's environment"
            elif name in _BOOT_TEXTS and _SECRET_TEXT.search(value):
                yield f"'{path}' of {label(step)} has a secret in it, and Hetzner and every process there can read it"


def _check_management(document: PlanDocument, _context: PolicyContext) -> Iterator[str]:
    for step in kept(document, _CLOUD_FIREWALL):
        for rule in step.inputs.get("rules") or ():
            if rule.get("direction") != "in" or not _EVERYWHERE & set(rule.get("sourceIps") or ()):
                continue
            opened = sorted(port for port in _MANAGEMENT if _opens(rule, port))
            if opened:
                ports = ", ".join(map(str, opened))
                yield f"{label(step)} lets the whole Internet at port {ports}: name the sources, or use the VPN"


def _opens(rule: Mapping[str, Any], port: int) -> bool:
    """Whether a rule lets a TCP port in; ``any`` and a range are as Hetzner writes them."""
    if rule.get("protocol") != "tcp":
        return False
    text = str(rule.get("port") or "")
    first, _, last = text.partition("-")
    return text == "any" or (first.isdecimal() and int(first) <= port <= int(last or first))


def _texts(inputs: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in the inputs that is there, with its place."""
    if isinstance(inputs, Mapping):
        for name, value in inputs.items():
            if not str(name).startswith("__"):
                yield from _texts(value, f"{path}.{name}" if path else str(name))
    elif isinstance(inputs, list | tuple):
        for value in inputs:
            yield from _texts(value, path)
    elif isinstance(inputs, str) and inputs:
        yield path, inputs


PLATFORM_RULES: tuple[Rule, ...] = (
    Rule("platform-types", "a platform stack consists of what our providers make", _check_types),
    Rule("no-credentials", "no credential is in an input or in a first boot's user data", _check_credentials),
    Rule("management-closed", "no firewall opens a management port to the whole Internet", _check_management),
)
"""Every rule there is about the provider's own stacks, in the order in which they are asked and shown."""
