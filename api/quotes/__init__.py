"""Quotes: the price of an order and a preview of what it would make."""
