"""Configuration of everything that watches, generated from one spec. Pure: text in, text out, no I/O, no engine."""
