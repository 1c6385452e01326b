"""`make demo`: six orders from payment to running guests, read back from the nodes, and two taken away again."""
