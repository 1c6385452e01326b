"""Why a platform run cannot be asked for."""

from typing import ClassVar

from api.errors import Conflict

HOW_TO_TURN_ON = (
    "write the providers' credentials into a file platform.env that only the worker's user can read (mode 0600), and "
    "set SLIPWAY_PLATFORM_ENVIRONMENT_FILE to its path, for the API and the workers; see docs/admin.md"
)


class PlatformRunsOff(Conflict):
    """The workers have no credentials for the provider's own stacks."""

    code: ClassVar[str] = "platform_runs_off"
    title: ClassVar[str] = "Platform runs are not set up"

    def __init__(self) -> None:
        super().__init__(f"platform stacks cannot be run from here yet: {HOW_TO_TURN_ON}")


class RunActive(Conflict):
    """The stack has a run that has not ended; ``run_id`` names it."""

    code: ClassVar[str] = "run_active"
    title: ClassVar[str] = "Another run of this stack has not ended"


class CustomersOnStack(Conflict):
    """What would be removed still carries customers; ``carried`` lists them."""

    code: ClassVar[str] = "customers_on_stack"
    title: ClassVar[str] = "Customers are on it"

    def __init__(self, carried: list[str]) -> None:
        shown = "; ".join(carried[:10]) + (f"; and {len(carried) - 10} more" if len(carried) > 10 else "")  # noqa: PLR2004
        super().__init__(f"customers would lose what they have: {shown}; move or remove them first", carried=carried)


class NotConfirmed(Conflict):
    """The name that was typed is not the stack's."""

    code: ClassVar[str] = "not_confirmed"
    title: ClassVar[str] = "Not confirmed"
