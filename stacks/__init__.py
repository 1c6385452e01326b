"""Pulumi programs: one for every customer's workload, and those of the platform."""
