"""`make demo`: six orders read back from the nodes, two taken away again, and a machine installed and wiped."""
