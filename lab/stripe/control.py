"""The control routes of the Stripe stand-in, next to its faults (:mod:`lab.faults.on_aiohttp`).

``GET`` and ``PUT /_lab/webhooks`` (mode), ``POST /_lab/webhooks/release``, ``POST /_lab/events/{id}/deliver``,
``GET /_lab/webhooks/attempts``, ``POST /_lab/checkout/sessions/{id}/pay``, ``DELETE /_lab/state``.
"""

from typing import TypeVar

from aiohttp import web
from localstripe.resources import store
from pydantic import BaseModel, ConfigDict, ValidationError

from lab.faults.on_aiohttp import require_token
from lab.stripe.checkout import CheckoutSession
from lab.stripe.delivery import Deliveries, Mode, Release
from lab.stripe.idempotency import IdempotencyKeys
from lab.stripe.pages import GOOD_CARD

Model = TypeVar("Model", bound=BaseModel)


class WebhookMode(BaseModel):
    """What becomes of new events from now on."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode


class Payment(BaseModel):
    """Pay a session as its customer would; ``webhooks`` is the mode for this payment's events only."""

    model_config = ConfigDict(extra="forbid")

    card: str = GOOD_CARD
    webhooks: Mode | None = None


async def _read(request: web.Request, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(await request.read() or b"{}")
    except ValidationError as error:
        raise web.HTTPUnprocessableEntity(text=error.json(include_url=False)) from error


def add_stripe_control(app: web.Application, deliveries: Deliveries, keys: IdempotencyKeys, token: str) -> None:
    """Add the routes named above."""

    async def show_mode(request: web.Request) -> web.Response:
        require_token(request, token)
        return web.json_response({"mode": deliveries.mode})

    async def set_mode(request: web.Request) -> web.Response:
        require_token(request, token)
        deliveries.mode = (await _read(request, WebhookMode)).mode
        return web.Response(status=204)

    async def release(request: web.Request) -> web.Response:
        require_token(request, token)
        return web.json_response(await deliveries.release(await _read(request, Release)))

    async def deliver(request: web.Request) -> web.Response:
        require_token(request, token)
        how = await _read(request, Release)
        return web.json_response(await deliveries.send([deliveries.event(request.match_info["id"])], how))

    async def attempts(request: web.Request) -> web.Response:
        require_token(request, token)
        return web.json_response(deliveries.attempts)

    async def reset(request: web.Request) -> web.Response:
        require_token(request, token)
        deliveries.reset()
        keys.forget()
        store.clear()
        return web.Response(status=204)

    async def pay(request: web.Request) -> web.Response:
        require_token(request, token)
        payment = await _read(request, Payment)
        session = CheckoutSession.find(request.match_info["id"])
        before, deliveries.mode = deliveries.mode, payment.webhooks or deliveries.mode
        try:
            session.pay(payment.card)  # makes its events before it returns
        finally:
            deliveries.mode = before
        return web.json_response(session._export())

    app.router.add_delete("/_lab/state", reset)
    app.router.add_get("/_lab/webhooks", show_mode)
    app.router.add_put("/_lab/webhooks", set_mode)
    app.router.add_post("/_lab/webhooks/release", release)
    app.router.add_get("/_lab/webhooks/attempts", attempts)
    app.router.add_post("/_lab/events/{id}/deliver", deliver)
    app.router.add_post("/_lab/checkout/sessions/{id}/pay", pay)
