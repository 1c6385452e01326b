"""Why a plan cannot be decided on or applied."""

from api.errors import Conflict, Forbidden


class PlanMoved(Conflict):
    """Something that the plan is bound to has changed; a fresh preview is being made."""

    code = "plan_moved"
    title = "The plan no longer fits"


class PlanExpired(Conflict):
    """Nobody decided in time."""

    code = "plan_expired"
    title = "The plan has expired"


class PlanTampered(Conflict):
    """The stored plan is not the one that was previewed."""

    code = "plan_tampered"
    title = "The stored plan does not fit its hash"


class AlreadyDecided(Conflict):
    """This person, or somebody who ended it, has had their say."""

    code = "already_decided"
    title = "Decided already"


class NoApprovalNeeded(Conflict):
    """The plan needs nobody's word."""

    code = "no_approval_needed"
    title = "Nobody needs to approve this"


class OwnPlan(Forbidden):
    """Who asked for a change cannot approve it."""

    code = "own_plan"
    title = "Somebody else must decide this"
