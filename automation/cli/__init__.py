"""The command ``slipway``: customers' verbs over HTTP, and the operator's ``up`` and ``doctor``."""
