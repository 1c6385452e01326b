"""The template registry: operating systems, game and bot templates, with versions."""
