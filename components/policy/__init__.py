"""Policy: rules over a plan and the facts around it. Pure, and shared by the service and the policy pack.

No I/O, no pulumi and no database in here: the service gathers the facts from its tables, the policy pack from a
stack's configuration.
"""
