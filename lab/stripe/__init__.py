"""Stripe on the third-party ``localstripe``, with what it lacks: Checkout Sessions and Prices.

``localstripe`` (GPL) is used as published, in a process of its own; its store, resource classes and route
factories carry the additions: :mod:`lab.stripe.prices`, :mod:`lab.stripe.checkout`,
:mod:`lab.stripe.payments` (refunds with events), :mod:`lab.stripe.delivery` (signed webhooks with retries),
:mod:`lab.stripe.idempotency`, :mod:`lab.stripe.pages` (the hosted pay page), :mod:`lab.stripe.control`.
"""
