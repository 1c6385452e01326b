"""What machines say, made fit for logs and pages: bounded, and without control characters."""

import re
import unicodedata

MAX_DETAIL = 400
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")
"""Escape sequences of terminals (ECMA-48): colours and cursor moves of boot messages."""


def clean_line(text: str, limit: int = MAX_DETAIL) -> str:
    """Return one line of printable text, cut at ``limit`` characters."""
    return " ".join(_printable(text).split())[:limit]


def clean_console(raw: bytes) -> str:
    """Return a piece of console output: UTF-8 where it is, lines kept, everything else that controls taken out."""
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return _printable(text)


def _printable(text: str) -> str:
    """Replace what is neither printable nor white space: NUL and lone surrogates, which PostgreSQL refuses, too."""
    kept = (
        character if character in "\n\t" or unicodedata.category(character)[0] != "C" else " "
        for character in _ESCAPES.sub("", text)
    )
    return "".join(kept)
