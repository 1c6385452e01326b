"""The boot service: what machines are told when they boot from the network."""
