"""The dynamic provider."""
