"""The control plane's HTTP API and its services. Never imports pulumi: it stores what is wanted, workers do it."""
