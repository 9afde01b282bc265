"""Simulated trials with known truth: micro-randomised and randomised, their analysis and power."""
