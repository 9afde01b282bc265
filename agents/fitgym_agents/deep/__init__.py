"""Recurrent learners of our own, in torch."""
