"""Numbers in the fields of text files."""

from __future__ import annotations

import math
import re

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def number_in(text: str) -> float:
    """Return the number that a field holds, NaN where it holds none.

    Stricter than ``float``, which takes 1_0 as ten and reads the digits of every script.

    Args:
        text: The field; spaces around the number do not matter.
    """
    return float(text) if _NUMBER.fullmatch(text.strip()) else math.nan
