"""Pulumi components: what one customer's order, or one piece of the provider's estate, is made of."""
