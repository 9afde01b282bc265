"""Benchmarks of agents on the fitgym environments, with reports."""
