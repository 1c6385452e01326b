"""A DNS provider's zones in a dictionary."""

from collections.abc import Sequence
from itertools import count

from api.drift.facts import ListedRecord
from automation.drift.records import RecordError


class FakeRecords:
    """Implements ``automation.drift.records.RecordDirectory``.

    Attributes:
        zones: the records by zone.
        is_reachable: while False, every call raises ``RecordError``.
    """

    def __init__(self) -> None:
        self.zones: dict[str, dict[str, ListedRecord]] = {}
        self.is_reachable = True
        self._numbers = count(1)

    def listing(self, zone_id: str) -> Sequence[ListedRecord]:
        """List a zone."""
        self._reach()
        return list(self.zones.get(zone_id, {}).values())

    def remove(self, zone_id: str, record_id: str, comment: str) -> bool:
        """Delete a record that bears a comment."""
        self._reach()
        record = self.zones.get(zone_id, {}).get(record_id)
        if record is not None and record.comment != comment:
            return False
        self.zones.get(zone_id, {}).pop(record_id, None)
        return True

    def put(self, zone_id: str, name: str, kind: str, content: str, comment: str = "") -> str:
        """Write a record, in the place of the one of that name and type; returns its id."""
        records = self.zones.setdefault(zone_id, {})
        for old in [one.id for one in records.values() if (one.name, one.type) == (name, kind)]:
            del records[old]
        record_id = f"record-{next(self._numbers)}"
        records[record_id] = ListedRecord(record_id, name, kind, content, comment)
        return record_id

    def _reach(self) -> None:
        if not self.is_reachable:
            raise RecordError("the zone's records could not be listed: APITimeoutError")
