"""What can go wrong with policy."""

from api.errors import Conflict


class PolicyMoved(Conflict):
    """Somebody else has set the policy since it was read."""

    code = "policy_moved"
    title = "The policy was changed meanwhile"
