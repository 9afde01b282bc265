"""Generative adversarial imitation learning (Ho and Ermon 2016)."""
