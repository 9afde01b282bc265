"""Settings that all tests share."""

import os

from hypothesis import settings

# The first call of a compiled function may compile it, so no single example has a deadline.
settings.register_profile("fitgym", deadline=None)
# Continuous integration draws the same inputs every time, so that a failure is of the change.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("FITGYM_HYPOTHESIS", "fitgym"))
