"""The outside world in one command: Proxmox nodes, Cloudflare, Stripe and Hetzner on loopback.

``python -m lab --state-dir DIR`` starts every stand-in in one process tree and writes ``DIR/lab.json``
(addresses and credentials, mode 0600) and ``DIR/estate.json`` (the inventory document for Slipway).
Each stand-in runs in its own child process: :mod:`lab.proxmox` on the third-party ``fakepve`` (AGPL),
:mod:`lab.stripe` on ``localstripe`` (GPL), :mod:`lab.cloudflare`, :mod:`lab.robot` and :mod:`lab.hcloud` on
FastAPI. The product never imports this package and reaches the stand-ins only as it would reach the real
services: over the network.

Tests start it with :func:`lab.client.start`, cause faults with :mod:`lab.faults` and read what is really
there with :mod:`lab.truth`, which uses the vendors' own clients.
"""
