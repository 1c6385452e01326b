"""How things look on a terminal. No I/O but printing."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_COLOURS: Mapping[str, str] = {
    "running": "green",
    "succeeded": "green",
    "delivered": "green",
    "stopped": "yellow",
    "suspended": "yellow",
    "needs_attention": "red",
    "failed": "red",
    "deleted": "dim",
}
_MIB_PER_GIB = 1024
_PIPE_WIDTH = 400


def stdout() -> Console:
    """Where answers go. A pipe has no width: a row stays one line there, for grep and awk."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPE_WIDTH)


def stderr() -> Console:
    """Where progress and failures go, so that answers can be piped."""
    return Console(stderr=True, highlight=False)


def print_json(document: object) -> None:
    """Print an answer for programs."""
    stdout().print(json.dumps(document, indent=2), markup=False, soft_wrap=True)


def table(*headings: str, title: str | None = None) -> Table:
    """A table in the house style; cells added with :func:`row`."""
    made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in headings:
        made.add_column(heading, header_style="bold", overflow="fold")
    return made


def facts(pairs: Iterable[tuple[str, str]]) -> Table:
    """A two-column list of names and (already marked-up) values."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        made.add_row(name, value)
    return made


def row(made: Table, *cells: object) -> None:
    """Add a row; text is shown as it is, never read as markup."""
    made.add_row(*(escape(str(cell)) for cell in cells))


def status(name: str) -> str:
    """A status in words and colour."""
    words = name.replace("_", " ")
    colour = _COLOURS.get(name)
    return f"[{colour}]{words}[/]" if colour else words


def money(cents: int, currency: str) -> str:
    """An amount, as ``4.50 EUR``."""
    return f"{cents // 100}.{cents % 100:02d} {currency.upper()}"


def memory(mebibytes: int) -> str:
    """A size of memory, in GiB where that is a whole number."""
    whole, rest = divmod(mebibytes, _MIB_PER_GIB)
    return f"{mebibytes} MiB" if rest or not whole else f"{whole} GiB"


def moment(text: str | None) -> str:
    """A time of the API's in the reader's zone, to the second."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S") if text else "-"


def resources(document: Mapping[str, Any]) -> str:
    """What a guest may use, as ``2 cores, 4 GiB memory, 40 GiB disk``."""
    cores = document["cores"]
    plural = "s" if cores != 1 else ""
    return f"{cores} core{plural}, {memory(document['memory_mib'])} memory, {document['disk_gib']} GiB disk"
