"""``slipway bench quotes``: from the question to the plan in words, as a customer meets it."""

import statistics
import tempfile
import time
from pathlib import Path

from rich.console import Console

from automation.embedded.system import EmbeddedSystem, SystemOptions
from lab.bench.figures import Figure, at_most, shown, spread
from lab.customer import Customer, Wish, sign_up

_MEDIAN_SECONDS = 1.5
_WARM_UP = 3
_SETTINGS = {"SLIPWAY_REQUESTS_PER_MINUTE": "100000"}


def measure_quotes(console: Console, quotes: int) -> list[Figure]:
    """Ask for quotes one after another, with nothing else going on; blocks for about two seconds each."""
    console.print(f"Asking for {quotes} quotes, one after another")
    options = SystemOptions(lab_options=("--nodes=cloud=1", "--pool-size=60"), workers=2)
    with (
        tempfile.TemporaryDirectory(prefix="slipway-quotes-") as folder,
        EmbeddedSystem(Path(folder), options, environment=_SETTINGS) as system,
    ):
        customer = sign_up(system.api_url)
        # The first makes the stack that all of them look at; the next ones find plugins and pages in memory.
        first, *_ = [_ask(customer, f"warm-{number}") for number in range(_WARM_UP)]
        seconds = [_ask(customer, f"box-{number}") for number in range(quotes)]
    return [
        at_most("quote: question to plan", statistics.median(seconds), "s", _MEDIAN_SECONDS, spread(seconds, "s")),
        shown("quote: question to plan, the first one ever", first, "s", "makes the stack besides"),
    ]


def _ask(customer: Customer, name: str) -> float:
    """Return the seconds from the question to the plan in words."""
    began = time.monotonic()
    quote = customer.quote(Wish("cloud-vm", "small", "debian-12", name))
    if quote["plan"] is None:
        raise RuntimeError(f"a quote got no plan: {quote['error']}")
    return time.monotonic() - began
