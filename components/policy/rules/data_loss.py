"""What a customer has stored is not lost by our doing."""

from collections.abc import Iterator
from datetime import timedelta

from components.plans import PlanDocument, StepOp
from components.policy.context import PolicyContext, known
from components.policy.rule import Rule
from components.policy.shapes import label

_LOSES = {
    StepOp.REPLACE: "would be replaced",
    StepOp.DELETE: "would be deleted",
    StepOp.UPDATE: "would be written anew",
}


def _check(document: PlanDocument, context: PolicyContext) -> Iterator[str]:
    """A backup of the future is a clock that is wrong, and proves nothing."""
    lost = [step for step in document.steps if step.loses_data]
    if not lost or not known(context.holds_data, "whether the workload holds data"):
        return
    if known(context.has_consent, "the owner's consent"):
        return
    hours = context.settings.backup_max_age_hours
    newest = context.newest_backup_at
    if newest is not None and timedelta(0) <= context.now - newest <= timedelta(hours=hours):
        return
    found = "there is no backup" if newest is None else f"the newest backup is of {newest:%Y-%m-%d %H:%M} UTC"
    for step in lost:
        yield (
            f"{label(step)} {_LOSES[step.op]} with all that it holds: its owner has not agreed, and {found} "
            f"(wanted: one of the last {hours} hours)"
        )


RULE = Rule(
    "data-loss",
    "no customer's data is replaced, deleted or written over without the owner's consent or a fresh backup",
    _check,
)
