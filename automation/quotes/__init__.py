"""Plans for quotes: the engine looks, nothing is reserved."""
