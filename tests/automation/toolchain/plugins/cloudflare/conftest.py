"""A Cloudflare of each test's own."""

from collections.abc import Iterator

import pytest

from tests.fakes.cloudflare_server import Cloudflare, cloudflare_server


@pytest.fixture
def cloudflare() -> Iterator[Cloudflare]:
    """An empty zone ``slipway.example``."""
    with cloudflare_server() as running:
        yield running
