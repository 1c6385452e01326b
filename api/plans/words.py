"""Says a plan in words that a customer understands. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.plans.document import PlanDocument, PlanStep, StepOp

_NOUNS = {
    "VmLegacy": ("virtual machine", "virtual machines"),
    "ContainerLegacy": ("container", "containers"),
    "DnsRecord": ("DNS record", "DNS records"),
    "firewall": ("firewall", "firewalls"),
    "MachineClaim": ("dedicated machine", "dedicated machines"),
    "Installation": ("installation", "installations"),
    "BootProfile": ("boot profile", "boot profiles"),
}
_OWN_WORDS = {
    ("MachineClaim", StepOp.DELETE): "the dedicated machine given back",
    ("Wipe", StepOp.CREATE): "a wipe of all disks at the end",
    ("Wipe", StepOp.DELETE): "all disks wiped (what they hold is lost)",
    ("Installation", StepOp.DELETE): "the machine switched off",
}
"""Where a step is something else to a customer than its resource's coming or going."""
_PARTS = {"OptionsLegacy": "firewall", "RulesLegacy": "firewall", "IpsetLegacy": "firewall"}
"""A customer has one firewall, of whatever resources it is made."""
_VERBS = {
    StepOp.CREATE: "new",
    StepOp.UPDATE: "changed",
    StepOp.REPLACE: "replaced (what it holds is lost)",
    StepOp.DELETE: "removed",
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_CENTS = 100


def describe(document: PlanDocument, place: str, price: str | None = None) -> str:
    """Say what a plan does: ``a new virtual machine with 2 cores on Falkenstein node 3; two new DNS records``.

    Args:
        document: the plan.
        place: where the guest is or will be, in words.
        price: a price in words, added at the end if given.
    """
    groups: dict[tuple[StepOp, str], list[PlanStep]] = {}
    for step in document.changing:
        groups.setdefault((step.op, _PARTS.get(step.resource, step.resource)), []).append(step)
    phrases = [_phrase(op, kind, steps, place) for (op, kind), steps in groups.items()] or ["nothing to change"]
    return "; ".join([*phrases, price] if price else phrases)


def monthly(cents: int, currency: str) -> str:
    """Say a monthly price: ``EUR 7.90 a month``."""
    return f"{currency.upper()} {cents // _CENTS}.{cents % _CENTS:02d} a month"


def _phrase(op: StepOp, kind: str, steps: Sequence[PlanStep], place: str) -> str:
    one, many = _NOUNS.get(kind, (kind, f"{kind}s"))
    own = _OWN_WORDS.get((kind, op))
    if own is not None:
        return own
    if kind in _PARTS.values():
        return f"a new {one}" if op is StepOp.CREATE else f"{one} {_VERBS[op]}"
    if len(steps) > 1:
        number = _NUMBERS[len(steps)] if len(steps) < len(_NUMBERS) else str(len(steps))
        return f"{number} {many} {_VERBS[op]}" if op is not StepOp.CREATE else f"{number} new {many}"
    step = steps[0]
    where = f" on {place}" if step.holds_data and op in {StepOp.CREATE, StepOp.REPLACE} else ""
    if op is StepOp.CREATE:
        return f"a new {one}{_size(step.inputs)}{where}"
    verb = "made anew (what was there is lost)" if step.installs_again else _VERBS[op]
    return f"{one} {step.name}".rstrip() + f" {verb}{where}{_differences(step)}"


def _size(inputs: Mapping[str, Any]) -> str:
    cpu = inputs.get("cpu")
    cores = cpu.get("cores") if isinstance(cpu, Mapping) else None
    if not isinstance(cores, int | float):
        return ""
    return f" with {int(cores)} core" + ("" if int(cores) == 1 else "s")


def _differences(step: PlanStep) -> str:
    if step.op is not StepOp.UPDATE or not step.changes:
        return ""
    told = [f"{change.path}: {_short(change.before)} to {_short(change.after)}" for change in step.changes[:3]]
    more = len(step.changes) - len(told)
    return f" ({', '.join(told)}{f' and {more} more' if more else ''})"


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004 - a glance's worth
