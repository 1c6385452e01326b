"""What can be bought: products, sizes and prices."""
