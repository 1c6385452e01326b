"""DNS zones, and the records that workloads hold in them."""
