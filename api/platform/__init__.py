"""Platform runs: the provider's own stacks, previewed, approved and brought up by the admin pages."""
