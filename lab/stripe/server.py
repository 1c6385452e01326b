"""The application: localstripe's resources, the lab's additions, and what surrounds every request."""

import asyncio
import base64
import contextlib
import hmac
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from localstripe import resources
from localstripe.errors import UserError
from localstripe.server import (
    api_create,
    api_delete,
    api_extra,
    api_list_all,
    api_retrieve,
    api_update,
    get_post_data,
    json_response,
    unflatten_data,
)

from lab.faults.on_aiohttp import CONTROL_PREFIX, FaultGate, add_control_routes
from lab.faults.rules import Fault, FaultTable
from lab.stripe.checkout import CheckoutSession
from lab.stripe.control import add_stripe_control
from lab.stripe.delivery import API_VERSION, Deliveries, WebhookEndpoint
from lab.stripe.idempotency import IdempotencyKeys
from lab.stripe.objects import LabEvent
from lab.stripe.pages import add_pages
from lab.stripe.payments import LabPaymentIntent, LabRefund
from lab.stripe.prices import LabProduct, Price
from lab.stripe.settings import StripeSettings

EXPIRY_CHECK = 1.0
"""Seconds between two looks for sessions whose time is over."""


CHANGED = (LabEvent, LabPaymentIntent, LabProduct, LabRefund, Price, WebhookEndpoint)
"""Resources of the lab; of localstripe's own, those of the same name make room."""

UNCHANGED = (
    resources.BalanceTransaction,
    resources.Charge,
    resources.Coupon,
    resources.Customer,
    resources.Invoice,
    resources.InvoiceItem,
    resources.PaymentMethod,
    resources.Payout,
    resources.Plan,
    resources.SetupIntent,
    resources.Source,
    resources.Subscription,
    resources.SubscriptionItem,
    resources.TaxRate,
    resources.Token,
)


def create_app(settings: StripeSettings, base_url: str) -> web.Application:
    """The application for one process: localstripe keeps its objects in one store a process."""
    section = settings.section
    # localstripe pickles its store to one file in the machine's temporary folder at every change: slow, and
    # readable by other users. The lab's store lives as long as its process.
    resources.store.dump_to_disk = lambda: None
    faults, keys = FaultTable(), IdempotencyKeys()
    deliveries = Deliveries(section.webhook_secret, settings.retry_pauses)
    # localstripe waits a second, signs with the event's own time and never tries again.
    resources.schedule_webhook = deliveries.schedule
    gate = FaultGate(faults, lambda _request, fault: _fault_answer(fault))
    around: list[Middleware] = [
        _answer_errors,
        gate.middleware(),
        _authenticate(section.secret_key),
        keys.middleware(),
    ]
    app = web.Application(middlewares=around)
    app["faults"] = faults
    add_control_routes(app, faults, settings.control_token)
    add_stripe_control(app, deliveries, keys, settings.control_token)
    add_pages(app)
    _add_checkout(app, base_url)
    _add_endpoints(app, section.webhook_secret)
    _add_resources(app)
    app.cleanup_ctx.append(_background(deliveries))
    return app


def _background(deliveries: Deliveries) -> Callable[[web.Application], AsyncIterator[None]]:
    async def run(_app: web.Application) -> AsyncIterator[None]:
        await deliveries.open()
        expiry = asyncio.create_task(_expire_due())
        yield
        expiry.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await expiry
        await deliveries.close()

    return run


async def _expire_due() -> None:
    while True:
        CheckoutSession.expire_due()
        await asyncio.sleep(EXPIRY_CHECK)


def _fault_answer(fault: Fault) -> web.Response:
    return web.json_response({"error": {"type": "api_error", "message": fault.message}}, status=fault.status)


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors in Stripe's form, and the headers that every answer has."""
    try:
        answer = await handler(request)
    except UserError as error:
        if error.code == 402:  # noqa: PLR2004 - HTTP: payment required
            error.body["error"]["type"] = "card_error"
        answer = error.to_response()
    except web.HTTPException as error:
        if request.path.startswith((CONTROL_PREFIX, "/c/")):
            raise
        message = f"Unrecognized request URL ({request.method}: {request.path})."
        answer = web.json_response(
            {"error": {"type": "invalid_request_error", "message": message}}, status=error.status
        )
    except Exception:
        logging.getLogger(__name__).exception("%s %s", request.method, request.path)
        answer = web.json_response({"error": {"type": "api_error", "message": "An error in the lab."}}, status=500)
    answer.headers["Request-Id"] = f"req_{secrets.token_hex(7)}"
    answer.headers["Stripe-Version"] = request.headers.get("Stripe-Version", API_VERSION)
    return answer


def _authenticate(secret_key: str) -> Middleware:
    """Let requests with the secret key through (bearer, or basic as curl sends it), pages and control too."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/v1/"):
            return await handler(request)
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            with contextlib.suppress(ValueError):
                given = base64.b64decode(given).decode().partition(":")[0]
        if not hmac.compare_digest(given.encode(), secret_key.encode()):
            raise UserError(401, f"Invalid API Key provided: {given[:8]}***" if given else "No API key provided.")
        return await handler(request)

    return check


def _add_checkout(app: web.Application, base_url: str) -> None:
    """``/v1/checkout/sessions``: its path and its ``line_items`` do not fit localstripe's route factories."""
    path = "/v1/checkout/sessions"

    async def create(request: web.Request) -> web.Response:
        data = dict(await get_post_data(request) or {})
        expand = data.pop("expand", None)
        return shown(CheckoutSession(base_url, **data), expand)

    async def expire(request: web.Request) -> web.Response:
        session = CheckoutSession.find(request.match_info["id"])
        session.expire()
        return shown(session, None)

    async def line_items(request: web.Request) -> web.Response:
        session = CheckoutSession.find(request.match_info["id"])
        return shown(session.line_items_page(**unflatten_data(request.query)), None)

    app.router.add_post(path, create)
    app.router.add_get(path, _awaitable(api_list_all(CheckoutSession, path)))
    app.router.add_get(path + "/{id}", _awaitable(api_retrieve(CheckoutSession, path)))
    app.router.add_post(path + "/{id}", api_update(CheckoutSession, path))
    app.router.add_post(path + "/{id}/expire", expire)
    app.router.add_get(path + "/{id}/line_items", line_items)


def shown(item: Any, expand: list[str] | None) -> web.Response:
    """An object as the answer's body."""
    answer: web.Response = json_response(item._export(expand=expand))
    return answer


def _add_endpoints(app: web.Application, secret: str) -> None:
    """Creating a webhook endpoint is the one time that its secret is shown."""

    async def create(request: web.Request) -> web.Response:
        endpoint = WebhookEndpoint(**dict(await get_post_data(request) or {}))
        return web.json_response({**endpoint._export(), "secret": secret})

    app.router.add_post("/v1/webhook_endpoints", create)


def _add_resources(app: web.Application) -> None:
    # Extra routes come first, else `/invoices/upcoming` would be taken for an invoice's id.
    for method, path, call in resources.extra_apis:
        app.router.add_route(method, path, api_extra(call, path))
    for kind in (*CHANGED, *UNCHANGED):
        path = f"/v1/{kind.object}s"
        if kind is not WebhookEndpoint:
            app.router.add_post(path, api_create(kind, path))
        app.router.add_get(path, _awaitable(api_list_all(kind, path)))
        app.router.add_get(path + "/{id}", _awaitable(api_retrieve(kind, path)))
        app.router.add_post(path + "/{id}", api_update(kind, path))
        if kind is not Price:  # Stripe has no way to delete a price
            app.router.add_delete(path + "/{id}", _awaitable(api_delete(kind, path)))


def _awaitable(call: Callable[[web.Request], web.Response]) -> Handler:
    """Make a coroutine function: localstripe's reading handlers are plain functions, which aiohttp has deprecated."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return call(request)

    return handler
