"""The policy pack: the service's own rules, for ``pulumi preview`` and ``pulumi up`` typed by hand."""
