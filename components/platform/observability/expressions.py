"""Expressions about what the control plane tells of the whole estate."""

from components.specs.signals import Signal


def once(signal: Signal, matcher: str = "") -> str:
    """Return a gauge of ours by its own labels: every API and every worker tells of the same rows, and none twice.

    >>> from components.specs.signals import ALERTS_OPEN
    >>> once(ALERTS_OPEN, 'kind="drift"')
    'max by (kind) (slipway_alerts_open{kind="drift"})'
    """
    selector = f"{{{matcher}}}" if matcher else ""
    return f"max by ({', '.join(signal.labels)}) ({signal.name}{selector})"
