"""The role that the application acts as, and what it may do: the migrations grant it."""

APP_ROLE = "slipway_app"
"""May read and write rows, except for what is append-only; owns nothing, and cannot log in."""
