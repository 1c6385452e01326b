"""The DNS provider's own word about our zones (PyPI: cloudflare)."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import structlog
from cloudflare import Cloudflare, CloudflareError, NotFoundError
from sqlalchemy import select

from api.db.session import Database
from api.dns.models import DnsZone
from api.drift.facts import ListedRecord, Records
from api.settings import WorkerSettings

_LOG = structlog.get_logger(__name__)
_TIMEOUT_SECONDS = 30
_PAGE = 1000


class RecordError(Exception):
    """The DNS provider did not answer, or refused; time may heal it."""


class RecordDirectory(Protocol):
    """Lists zones and removes records. All methods block."""

    def listing(self, zone_id: str) -> Sequence[ListedRecord]:
        """Return every record of a zone.

        Raises:
            RecordError: if the provider does not answer: a list that is not whole is never returned.
        """

    def remove(self, zone_id: str, record_id: str, comment: str) -> bool:
        """Delete a record that bears ``comment``; True once it is gone, False if it bears it no more.

        Raises:
            RecordError: if it could not be deleted.
        """


class CloudflareRecords:
    """Implements ``RecordDirectory`` over HTTPS."""

    def __init__(self, settings: WorkerSettings) -> None:
        """Use the worker's token; nothing is sent yet."""
        self._token = settings.cloudflare_api_token.get_secret_value()
        self._base_url = None if settings.cloudflare_base_url is None else str(settings.cloudflare_base_url).rstrip("/")

    def listing(self, zone_id: str) -> Sequence[ListedRecord]:
        """See ``RecordDirectory``. One request for a thousand records."""
        with self._connected("could not be listed") as client:
            found = client.dns.records.list(zone_id=zone_id, per_page=_PAGE)
            return [
                ListedRecord(str(one.id), str(one.name), str(one.type), str(one.content or ""), str(one.comment or ""))
                for one in found
            ]

    def remove(self, zone_id: str, record_id: str, comment: str) -> bool:
        """See ``RecordDirectory``. The comment is read again, just before."""
        with self._connected("could not be deleted") as client:
            try:
                record = client.dns.records.get(record_id, zone_id=zone_id)
            except NotFoundError:
                return True
            if record is not None and record.comment != comment:
                return False
            client.dns.records.delete(record_id, zone_id=zone_id)
        return True

    @contextmanager
    def _connected(self, failure: str) -> Iterator[Cloudflare]:
        with Cloudflare(api_token=self._token, base_url=self._base_url, timeout=_TIMEOUT_SECONDS) as client:
            try:
                yield client
            except CloudflareError as error:
                raise RecordError(f"the zone's records {failure}: {type(error).__name__}") from error


def read_zones(database: Database, directory: RecordDirectory) -> Records | None:
    """Return all records of all our zones, None if a zone cannot be read; blocks on the network."""
    with database.transaction() as transaction:
        zones = transaction.session.scalars(select(DnsZone.provider_zone_id)).all()
    try:
        return by_name(record for zone in zones for record in directory.listing(zone))
    except RecordError as error:
        _LOG.warning("zone_not_read", error=str(error))
        return None


def by_name(records: Iterable[ListedRecord]) -> Records:
    """Gather records' contents by name and type."""
    found: dict[tuple[str, str], set[str]] = {}
    for record in records:
        found.setdefault((record.name, record.type), set()).add(record.content)
    return {key: frozenset(contents) for key, contents in found.items()}
