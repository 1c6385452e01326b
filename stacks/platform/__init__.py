"""The provider's own estate: one program a kind of platform stack, chosen by the stack's name."""
