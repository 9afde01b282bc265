"""Gymnasium environments for personalised exercise recommendation."""

__version__ = "0.1.0"
