"""Recommendation: which workout or route brings the heart to a target, and at what speed."""
