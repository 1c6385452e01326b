"""The engine state store, read without the engine."""
