"""Engine operations: desired state to be applied, with lease, fence, events and result."""
