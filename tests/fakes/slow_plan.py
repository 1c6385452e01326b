"""A network's plan that takes its time: whatever does not wait for it is made meanwhile."""

import asyncio
from contextlib import suppress


class SlowPlan:
    """A look at the network's plan, which may end in a refusal: it waits a while for something to be made meanwhile."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.made_meanwhile: list[str] = []
        self._something = asyncio.Event()

    def note(self, thing: str) -> None:
        """Something was made."""
        self.made.append(thing)
        self._something.set()

    async def subnet(self) -> str:
        """The subnet's id, late."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._something.wait(), 0.2)
        self.made_meanwhile = list(self.made)
        return "1000-10.10.1.0/24"
