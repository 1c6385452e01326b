"""What Prometheus is told: requests from memory, everything else from the rows, at the moment of a scrape."""
