"""What can go wrong with the provider's own estate."""

from api.errors import Conflict


class StillInUse(Conflict):
    """Customers, or other parts of the estate, need what is to go; nothing was changed.

    The problem's ``things`` says what is needed, its ``workloads`` by whom: name, owner, VMID and what each is on.
    """

    code = "still_in_use"
    title = "Customers are still on this"


class ToldByAnotherStack(Conflict):
    """Two stacks want to describe one thing, or a person wants to retire what a stack describes."""

    code = "told_by_another_stack"
    title = "A platform stack describes this"


class NodeNotReady(Conflict):
    """The node is not in a state in which this can be done."""

    code = "node_not_ready"
    title = "Not possible in this node's state"
