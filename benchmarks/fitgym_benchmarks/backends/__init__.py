"""Where the runs of a benchmark are executed."""
