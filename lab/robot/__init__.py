"""Hetzner's Robot webservice as far as Slipway uses it: dedicated servers and what hangs on them, kept in memory.

Written from the public description (robot.hetzner.com/doc/webservice) and checked with a third party's client.
Where the description is silent the stand-in is strict: a locked-out address is answered like wrong credentials.
"""
