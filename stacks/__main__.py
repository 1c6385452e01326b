"""Where the Pulumi CLI starts (``main: stacks/`` in Pulumi.yaml)."""

from stacks.entry import main

main()
