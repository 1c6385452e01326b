"""``python -m automation.cli`` is ``slipway``."""

from automation.cli.main import app

app(prog_name="slipway")
