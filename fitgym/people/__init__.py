"""Individuals and the population they are drawn from."""
