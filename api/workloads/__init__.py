"""Customers' workloads: desired state, status, and the verbs that change them."""
