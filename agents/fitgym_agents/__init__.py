"""Agents for the fitgym environments: references, Stable-Baselines3 and our own."""
