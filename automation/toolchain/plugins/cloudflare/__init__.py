"""The ``cloudflare`` provider plugin, for where the official one cannot be downloaded.

It serves the official type tokens of the resources that Slipway uses, with the official property names, so that
``pulumi_cloudflare`` programs and their state fit both. Two choices follow from each order starting it once:

* The API is called with ``urllib3``, not with the ``cloudflare`` package: importing that costs 0.45 s of processor
  time and 26 MB on top of the rest (measured, Python 3.11), ``urllib3`` 0.04 s and 1 MB. Tests hold every request
  against the types of the ``cloudflare`` package.
* Of the Pulumi SDK only the generated protocol is imported: 0.13 s instead of 0.37 s.
"""
