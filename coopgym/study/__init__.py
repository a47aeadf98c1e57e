"""Studies: plans of many runs, carried out on all cores, kept as records, and summarised."""
