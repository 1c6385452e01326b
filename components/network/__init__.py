"""A guest's firewall and its names, and what is made at Robot.

Nothing is imported here: each part needs another provider's SDK, and they take up to two seconds.
"""
