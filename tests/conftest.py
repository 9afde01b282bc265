"""Settings that all tests share."""

from hypothesis import settings

# The first call of a compiled function may compile it, so no single example has a deadline.
settings.register_profile("fitgym", deadline=None)
settings.load_profile("fitgym")
