"""Readers of training logs and recorded workouts; all return the same records."""
