"""Individuals, and a population to draw them from."""
