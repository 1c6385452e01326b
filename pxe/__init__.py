"""Bare metal: power, the dynamic provider, the boot service, and what runs on a machine while it is installed."""
