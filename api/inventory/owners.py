"""Which stack describes what: read off the stacks' reports, so that it is kept in one place only."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.inventory.errors import ToldByAnotherStack
from api.inventory.platform_models import PlatformStack
from components.specs.platform import StackReport

KEYS: Mapping[str, str] = MappingProxyType(
    {
        "sites": "slug",
        "nodes": "name",
        "address_pools": "name",
        "networks": "name",
        "dns_zones": "name",
        "servers": "name",
        "machines": "name",
        "hosts": "name",
    }
)
"""The parts of a report, and the field that names a thing of each."""

_WORDS = {"sites": "site", "address_pools": "address pool", "dns_zones": "zone"}


def word_for(part: str) -> str:
    """Return what one thing of a part is called."""
    return _WORDS.get(part, part.removesuffix("s"))


def names_in(report: Mapping[str, Any], part: str) -> set[str]:
    """Return the names of the things in one part of a report."""
    return set(entries_in(report, part))


def entries_in(report: Mapping[str, Any], part: str) -> dict[str, Mapping[str, Any]]:
    """Return the things in one part of a report by name."""
    return {str(entry[KEYS[part]]): entry for entry in report.get(part, ())}


class Owners:
    """The reports of all stacks, as they are stored."""

    def __init__(self, session: Session) -> None:
        rows = session.scalars(select(PlatformStack).order_by(PlatformStack.stack))
        self._reports: dict[str, Mapping[str, Any]] = {row.stack: row.report for row in rows}

    def of(self, part: str, name: str) -> str | None:
        """Return the stack that describes a thing, if any."""
        return next((stack for stack, report in self._reports.items() if name in names_in(report, part)), None)

    def name_workloads(self) -> bool:
        """Tell whether a stack says in which zone workloads get their names."""
        zones = (zone for report in self._reports.values() for zone in report.get("dns_zones", ()))
        return any(zone.get("holds_workloads") for zone in zones)

    def no_longer_told(self, stack: str, news: Mapping[str, Any]) -> dict[str, set[str]]:
        """Return, by part, what the stack's last report had, this one has not, and no other stack describes."""
        before = self._reports.get(stack, {})
        others = {part: self._told_by_others(stack, part) for part in KEYS}
        return {part: names_in(before, part) - names_in(news, part) - others[part] for part in KEYS}

    def check(self, report: StackReport, news: Mapping[str, Any]) -> None:
        """Refuse a report that describes what another stack describes; a site may be named by several, alike.

        Raises:
            ToldByAnotherStack: naming the thing and the other stack.
        """
        for stack, part, name, theirs in self._claims(report.stack):
            mine = entries_in(news, part).get(name)
            if mine is None or (part == "sites" and mine == theirs):
                continue
            how = " differently" if part == "sites" else ""
            raise ToldByAnotherStack(
                f"{word_for(part)} '{name}' is described{how} by the stack '{stack}': take it out of one of the two",
                stack=stack,
            )

    def _claims(self, stack: str) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
        for other, report in self._reports.items():
            for part in KEYS if other != stack else ():
                for name, entry in entries_in(report, part).items():
                    yield other, part, name, entry

    def _told_by_others(self, stack: str, part: str) -> set[str]:
        return {name for other, report in self._reports.items() if other != stack for name in names_in(report, part)}
