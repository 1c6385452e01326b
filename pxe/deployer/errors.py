"""What can go wrong while the deployer is built."""


class DeployerError(RuntimeError):
    """Kernel and initrd could not be built. The message names what is missing, and how to get it."""
