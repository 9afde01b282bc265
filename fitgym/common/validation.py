"""Checks of arguments: every error names the argument, the value received and what is allowed."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable
from numbers import Real

import numpy as np

# Ours: what numpy, torch and C take everywhere, and more than anybody waits for.
LARGEST_SEED = 2**32 - 1
LARGEST_COUNT = 10**9

_NAME = re.compile(r"(?![. ])[A-Za-z0-9._ -]+")


def require_number(
    name: str,
    value: object,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    low_open: bool = False,
    high_open: bool = False,
) -> float:
    """Return ``value`` as a float after checking that it is a finite number in a range.

    Args:
        name: Name of the argument, for the message.
        value: The value received.
        low: Smallest allowed value.
        high: Largest allowed value.
        low_open: Whether ``low`` itself is excluded.
        high_open: Whether ``high`` itself is excluded.

    Raises:
        TypeError: If ``value`` is not a real number (booleans are not numbers here).
        ValueError: If ``value`` is NaN, infinite or outside the range.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    try:
        number = float(value) if is_number else math.nan  # type: ignore[arg-type]
    except OverflowError:
        number = math.inf
    inside = (low < number if low_open else low <= number) and (
        number < high if high_open else number <= high
    )
    if inside and math.isfinite(number):
        return number
    message = (
        f"{name} must be a finite number in {'(' if low_open or low == -math.inf else '['}{low:g}, "
        f"{high:g}{')' if high_open or high == math.inf else ']'}, got {value!r}"
    )
    if not is_number:
        raise TypeError(f"{message} of type {type(value).__name__}")
    raise ValueError(message)


def require_integer(name: str, value: object, low: int, high: int | None = None) -> int:
    """Return ``value`` as an int after checking that it is a whole number in ``[low, high]``.

    Args:
        name: Name of the argument, for the message.
        value: The value received; numpy integers are accepted, booleans and floats are not.
        low: Smallest allowed value.
        high: Largest allowed value, or None for no upper end.

    Raises:
        TypeError: If ``value`` is not an integer.
        ValueError: If ``value`` is outside the range.
    """
    allowed = f"an integer of at least {low}" + ("" if high is None else f" and at most {high}")
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"{name} must be {allowed}, got {value!r} of type {type(value).__name__}"
        ) from None
    if number < low or (high is not None and number > high):
        raise ValueError(f"{name} must be {allowed}, got {value!r}")
    return number


def require_seed(name: str, value: object) -> int:
    """Return ``value`` as an int after checking that it can seed every generator of numbers.

    Raises:
        TypeError: If ``value`` is not an integer.
        ValueError: If it is not in ``[0, LARGEST_SEED]``.
    """
    return require_integer(name, value, 0, LARGEST_SEED)


def require_count(name: str, value: object, low: int = 1, high: int = LARGEST_COUNT) -> int:
    """Return ``value`` as an int after checking that so many of something can be done or kept.

    Raises:
        TypeError: If ``value`` is not an integer.
        ValueError: If it is not in ``[low, high]``.
    """
    return require_integer(name, value, low, high)


def require_choice(name: str, value: object, choices: Iterable[str]) -> str:
    """Return ``value`` after checking that it is one of ``choices``.

    Args:
        name: Name of the argument, for the message.
        value: The value received.
        choices: The allowed strings.

    Raises:
        ValueError: If ``value`` is not among them.
    """
    allowed = list(choices)
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value


def require_name(name: str, value: object, longest: int = 64) -> str:
    """Return ``value`` after checking that it can name a file or folder on any system.

    Args:
        name: Name of the argument, for the message.
        value: The value received.
        longest: How many characters it may have.

    Raises:
        ValueError: If ``value`` is no such name; in particular it has no separator of paths.
    """
    if not isinstance(value, str) or len(value) > longest or not _NAME.fullmatch(value):
        raise ValueError(
            f"{name} must be 1 to {longest} letters (A-Z, a-z), digits, '.', '_', ' ' or '-', not "
            f"beginning with '.' or ' ', got {value!r}"
        )
    return value
