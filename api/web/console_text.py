"""What a machine printed, made fit for people to read. Pure."""

import re

_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_=>78c])")
"""Sequences that steer a terminal: colours, cursor, title (ECMA-48, and xterm's own)."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]")
_SECRET = re.compile(r"(\bslipway\.token=)\S+")


def readable(text: str) -> str:
    """Return lines of a console as text: nothing that steers a terminal, of an overwritten line only what stayed.

    The kernel prints its command line, and a boot's one-time token with it: that is taken out.
    """
    plain = _TERMINAL.sub("", text).replace("\r\n", "\n")
    lines = [_stayed(line) for line in plain.split("\n")]
    return _SECRET.sub(r"\1[secret]", _CONTROL.sub("", "\n".join(lines)))


def split_open_line(text: str) -> tuple[str, str]:
    """Split a text before its last line, which has no end yet and may still change."""
    whole, separator, rest = text.rpartition("\n")
    return whole + separator, rest


def _stayed(line: str) -> str:
    written = [part for part in line.split("\r") if part]
    return written[-1] if written else ""
