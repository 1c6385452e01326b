"""Who is asking: accounts, sessions, API tokens, SSH keys and rate limits."""
