"""Where the engine starts the pack, by way of the language host and the SDK's ``pulumi.policy``."""

from stacks.policy.service import serve

serve()
