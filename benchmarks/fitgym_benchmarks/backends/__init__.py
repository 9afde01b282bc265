"""Where the runs of a benchmark are done: on this machine, by Slurm or by Ray."""
