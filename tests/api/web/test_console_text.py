"""What a machine prints is made fit to read."""

import pytest

from api.web.console_text import readable, split_open_line


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("plain", "plain"),
        ("two\r\nlines", "two\nlines"),
        ("\x1b[1;31mred\x1b[0m and \x1b[2Jclear", "red and clear"),
        ("\x1b]0;title\x07text", "text"),
        ("10 %\r20 %\r30 %", "30 %"),
        ("gone\r\n\r\nkept", "gone\n\nkept"),
        ("a\x00b\x08c\x9bd\x7f", "abcd"),
        ("tab\tkept", "tab\tkept"),
        ("quiet slipway.token=abc.DEF-1 console=ttyS0", "quiet slipway.token=[secret] console=ttyS0"),
        ("slipway.token=\x1b[0mabc", "slipway.token=[secret]"),
        ("<b>bold</b>", "<b>bold</b>"),
    ],
)
def test_nothing_that_steers_a_terminal_is_left(printed: str, read: str) -> None:
    """Colours, titles, control characters and overwritten text go; a boot's token is never shown."""
    assert readable(printed) == read


def test_a_line_without_an_end_is_kept_back() -> None:
    """It may still change."""
    assert split_open_line("one\ntwo\nthr") == ("one\ntwo\n", "thr")
    assert split_open_line("all\n") == ("all\n", "")
    assert split_open_line("none") == ("", "none")
