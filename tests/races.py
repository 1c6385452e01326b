"""Races on purpose: threads that meet at a barrier and then all do their thing."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from api.errors import SlipwayError

PATIENCE_SECONDS = 60.0


def at_once(actions: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run every action in a thread of its own, all starting together; errors of ours come back as results.

    Raises:
        BaseException: what an action raised that is no ``SlipwayError``.
    """
    start = Barrier(len(actions), timeout=PATIENCE_SECONDS)

    def run(action: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return action()
        except SlipwayError as error:
            return error

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))
