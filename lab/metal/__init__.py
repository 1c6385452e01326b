"""Machines and their BMCs, as the lab has them."""
