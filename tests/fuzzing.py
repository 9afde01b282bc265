"""How many inputs a property test draws: few by default, many under ``make fuzz``."""

import os


def examples(count: int) -> int:
    """Return a number of examples times the environment variable ``FITGYM_FUZZ`` (default 1)."""
    return count * int(os.environ.get("FITGYM_FUZZ", "1"))
