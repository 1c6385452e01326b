"""The process of the Stripe stand-in: settings on standard input, port on standard output (lab.child)."""

import asyncio

from aiohttp import web

from lab.child import end_with_parent, listen, read_settings
from lab.document import port_of
from lab.serving import serve_until_told
from lab.stripe.server import create_app
from lab.stripe.settings import StripeSettings


async def _serve(settings: StripeSettings) -> None:
    # Bound before the application exists: sessions carry the address of their pay page.
    listener = listen(port_of(settings.section.base_url))
    port = listener.getsockname()[1]
    app = create_app(settings, f"http://127.0.0.1:{port}")
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.5, access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        await serve_until_told({"api": port})
        app["faults"].clear()
    finally:
        await runner.cleanup()


def main() -> None:
    """Serve until the supervisor ends or asks this process to."""
    settings = read_settings(StripeSettings)
    end_with_parent()
    asyncio.run(_serve(settings))


if __name__ == "__main__":
    main()
