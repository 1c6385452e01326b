"""What exists: sites, nodes with their capacity, and the guests on them."""
