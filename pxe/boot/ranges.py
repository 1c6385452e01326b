"""Byte ranges of a request (RFC 9110, section 14): pure."""

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` to ``end``, the latter not included."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes that is."""
        return self.end - self.start


class Unsatisfiable(Exception):  # noqa: N818 - the status' word
    """The range lies outside the file."""


def requested_span(range_header: str | None, if_range: str | None, etag: str, size: int) -> Span | None:
    """Return the part of a file that is asked for, or None for all of it.

    A header that is no single range of bytes is ignored, as the RFC lets a server do; so is one under an ``If-Range``
    that is not this very file's strong ETag.

    Raises:
        Unsatisfiable: if the range is well formed and lies outside.
    """
    if range_header is None or (if_range is not None and if_range.strip() != etag):
        return None
    match = _ONE.fullmatch(range_header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise Unsatisfiable
        return Span(size - length, size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Span(start, min(int(last) + 1, size) if last else size)
