"""A fleet of machines that are not there, through orders, installations and removals, with faults among them.

Nothing is simulated but the iron, the customer's bank and Pulumi's own process: orders, leases, grants, the classes of
``pxe.provider``, the API and the boot service are the product's.
"""
