"""What workers do with machines that no stack has: inspect and wipe them, and switch them on and off for staff."""
