"""Everything that the server knows."""

from typing import Any

from lab.pbs.access import Access
from lab.pbs.namespaces import Namespaces
from lab.pbs.sections import Sections


class World:
    """Configuration, access and namespaces of one server. ``password`` is that of ``root@pam``."""

    def __init__(self, password: str) -> None:
        self._password = password
        self.clear()

    def clear(self) -> None:
        """The server as it was installed."""
        self.sections, self.access, self.namespaces = Sections(), Access(self._password), Namespaces()
        self.tasks = 0

    def remembered(self) -> dict[str, Any]:
        """What it still has after a power cut, as plain data."""
        return {
            "sections": self.sections.items,
            "access": self.access.remembered(),
            "names": self.namespaces.names,
            "groups": self.namespaces.groups,
        }

    def remember(self, state: dict[str, Any] | None) -> None:
        """Have again what an earlier run had, if there was one."""
        if state is not None:
            self.sections.items = state["sections"]
            self.access.remember(state["access"])
            self.namespaces.names, self.namespaces.groups = state["names"], state["groups"]

    def task(self, kind: str, name: str, who: str) -> str:
        """The id of a task that has ended well already."""
        self.tasks += 1
        return f"UPID:backup:{self.tasks:08X}:{self.tasks:08X}:00000000:{self.tasks:08X}:{kind}:{name}:{who}:"
