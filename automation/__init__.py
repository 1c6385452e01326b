"""Drives the Pulumi engine: toolchain, engine processes, operations, Celery tasks and the command line."""
