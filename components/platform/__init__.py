"""The provider's own estate as components, from which the platform stacks are put together."""
