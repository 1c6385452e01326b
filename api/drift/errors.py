"""What can go wrong with findings and orphans."""

from api.errors import Conflict, InvalidInput


class NotAdoptable(InvalidInput):
    """What is there cannot be made what is wanted."""

    code = "not_adoptable"
    title = "This difference cannot be adopted"


class NotRevertible(InvalidInput):
    """The engine cannot bring this back without harm."""

    code = "not_revertible"
    title = "This difference cannot be reverted"


class FindingSettled(Conflict):
    """The finding is resolved, or being repaired."""

    code = "finding_settled"
    title = "Nothing to decide about this finding"


class NotRemovable(Conflict):
    """An orphan must not be deleted, or not yet."""

    code = "not_removable"
    title = "This orphan must not be removed"
