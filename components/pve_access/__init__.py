"""The control plane's token for a node: made on the node, deposited with the control plane, kept nowhere else."""
