"""The one program behind every customer's stack."""
