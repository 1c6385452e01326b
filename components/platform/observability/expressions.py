"""Expressions about what the control plane tells of the whole estate."""

from components.specs.signals import Signal


def once(signal: Signal, matcher: str = "") -> str:
    """Return a gauge of ours by its own labels: every API tells of the same rows, and none counts twice.

    >>> from components.specs.signals import ALERTS_OPEN
    >>> once(ALERTS_OPEN, 'kind="drift"')
    'max by (kind) (slipway_alerts_open{kind="drift"})'
    """
    selector = f"{{{matcher}}}" if matcher else ""
    return f"max by ({', '.join(signal.labels)}) ({signal.name}{selector})"


def grown(signal: Signal, minutes: int, matcher: str = "") -> str:
    """Return by how much a histogram of ours has grown that is kept in rows, which every API tells of.

    >>> from components.specs.signals import OPERATION_SECONDS
    >>> grown(OPERATION_SECONDS, 5)
    'max by (kind, phase, outcome) (increase(slipway_operation_seconds_count[5m]))'
    """
    selector = f"{{{matcher}}}" if matcher else ""
    return f"max by ({', '.join(signal.labels)}) (increase({signal.name}_count{selector}[{minutes}m]))"
