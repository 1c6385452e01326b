"""The servers that run Slipway itself: what they are, and what they boot with."""
