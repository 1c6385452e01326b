"""Plans: what an operation would change, priced, judged, approved, and bound to what was seen."""
