"""The state database in operation: pruned, checked against the application's, brought back."""
