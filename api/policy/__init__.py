"""Policy: rules over a plan, and the settings that an administrator may change."""
