"""Faults on demand, the same for every stand-in: rules, the gates that apply them, and their clients."""
