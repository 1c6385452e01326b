"""Progress in plain lines."""

import io

from automation.toolchain.progress import LineProgress


def test_a_step_is_a_line_and_so_is_a_sign_of_life_every_so_often() -> None:
    """A log stays short."""
    stream, now = io.StringIO(), [0.0]
    progress = LineProgress(stream, interval=10, clock=lambda: now[0])
    progress.step("Building pulumi")
    for seconds in (1, 9, 11, 12, 25):
        now[0] = seconds
        progress.detail(f"package{seconds}")
    progress.close()
    assert stream.getvalue().splitlines() == [
        "Building pulumi",
        "Building pulumi: 11 s, 3 done, now package11",
        "Building pulumi: 25 s, 5 done, now package25",
    ]
