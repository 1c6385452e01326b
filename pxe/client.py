"""The machine API as the engine uses it."""
