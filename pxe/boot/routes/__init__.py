"""The boot service's routes: what machines ask for and tell."""
