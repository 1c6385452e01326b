"""What can be wrong with a stack's state."""

from api.errors import Conflict, SlipwayError


class StateCorrupt(Conflict):
    """A stack's checkpoint cannot be read; nothing may be done to what it describes before a person has looked."""

    code = "state_corrupt"
    title = "The state of this workload cannot be read"


class StateUnavailable(SlipwayError):  # noqa: N818 - reads as a state, as its siblings in api.errors do
    """The state database does not answer."""

    code = "state_unavailable"
    title = "The state database cannot be reached"
    status = 503
    retryable = True
