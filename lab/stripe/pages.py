"""The hosted pay page: what a person sees at a session's ``url``."""

from html import escape
from string import Template

from aiohttp import web
from localstripe.errors import UserError

from lab.stripe.checkout import CheckoutSession

GOOD_CARD = "4242424242424242"
CARDS = ((GOOD_CARD, "pays"), ("4000000000000002", "is declined"))

_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title><style>
body{font:16px/1.5 system-ui,sans-serif;background:#f6f8fa;color:#1a1f36;display:grid;
place-items:center;min-height:95vh}
main{background:#fff;border-radius:12px;box-shadow:0 4px 24px #0002;padding:2rem;width:min(26rem,90vw)}
table{width:100%;border-collapse:collapse;margin:1rem 0}td{padding:.3rem 0}
td:last-child{white-space:nowrap;text-align:right}
tr.total{border-top:1px solid #ddd;font-weight:600}
button{font:inherit;border:0;border-radius:8px;padding:.7rem;width:100%;margin-top:.6rem;cursor:pointer}
button[value=pay]{background:#635bff;color:#fff}select{font:inherit;padding:.6rem;width:100%;border-radius:8px}
.note{color:#697386;font-size:.85rem}.bad{color:#c0123c}</style></head>
<body><main><h1>$title</h1>$body<p class="note">A stand-in for Stripe: no money moves.</p></main></body></html>
""")


def add_pages(app: web.Application) -> None:
    """Serve ``GET`` and ``POST /c/pay/{id}``; the form sends ``action`` (pay, cancel) and ``card``."""
    app.router.add_get("/c/pay/{id}", _show)
    app.router.add_post("/c/pay/{id}", _act)


async def _show(request: web.Request) -> web.Response:
    try:
        session = CheckoutSession.find(request.match_info["id"])
    except UserError:
        return _page("Not found", "<p>There is no such payment.</p>", status=404)
    if session.status != "open":
        return _page("Already done", f"<p>This payment is {escape(session.status)}.</p>")
    return _page("Pay", _form(session))


async def _act(request: web.Request) -> web.Response:
    try:
        session = CheckoutSession.find(request.match_info["id"])
    except UserError:
        return _page("Not found", "<p>There is no such payment.</p>", status=404)
    form = await request.post()
    if form.get("action") == "cancel":
        raise web.HTTPSeeOther(session.cancel_url or session.success_url)
    if form.get("action") != "pay":
        return _page("Pay", "<p class='bad'>action: must be pay or cancel.</p>", status=400)
    if session.status == "open":  # a second click on Pay finds it complete and goes on to the shop
        try:
            session.pay(str(form.get("card") or GOOD_CARD).replace(" ", ""))
        except UserError as error:
            message = escape(str(error.body["error"].get("message", "The payment failed.")))
            return _page("Pay", f"<p class='bad'>{message}</p>{_form(session)}", status=402)
    if session.status != "complete":
        return _page("Already done", f"<p>This payment is {escape(session.status)}.</p>", status=410)
    raise web.HTTPSeeOther(session.success_url.replace("{CHECKOUT_SESSION_ID}", session.id))


def _form(session: CheckoutSession) -> str:
    rows = "".join(
        f"<tr><td>{item.quantity} &times; {escape(item.description)}</td>"
        f"<td>{_money(item.amount_total, item.currency)}</td></tr>"
        for item in session._line_items
    )
    total = f'<tr class="total"><td>Total</td><td>{_money(session.amount_total, session.currency)}</td></tr>'
    cards = "".join(f'<option value="{number}">{number} ({effect})</option>' for number, effect in CARDS)
    return (
        f'<table>{rows}{total}</table><form method="post"><label>Card<br><select name="card">{cards}</select></label>'
        '<button name="action" value="pay">Pay</button>'
        '<button name="action" value="cancel" formnovalidate>Cancel</button></form>'
    )


def _money(cents: int, currency: str) -> str:
    return f"{cents // 100}.{cents % 100:02d} {escape(currency.upper())}"


def _page(title: str, body: str, status: int = 200) -> web.Response:
    text = _PAGE.substitute(title=escape(title), body=body)
    return web.Response(text=text, content_type="text/html", status=status, headers={"Cache-Control": "no-store"})
