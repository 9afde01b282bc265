"""The one way functions are compiled here: numba, cached on disk, types kept for checkers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

import numba

__all__ = ["compiled", "compiled_allocating", "compiled_parallel"]

# Any: the option without reference counts is not in numba's type hints.
_njit: Any = partial(numba.njit, cache=True, error_model="numpy")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile ``function`` with numba in nopython mode and cache the machine code on disk.

    The function makes no arrays. That spares counting who refers to each array it handles, which
    at three atomic operations for every array in every call costs more than a day's arithmetic:
    numba leaves the counting out by itself only where no tuple of arrays is passed on.

    The arithmetic is IEEE without reassociation, so that a compiled function gives the same
    bits wherever it is called from. Division by zero gives infinity, as in numpy. Calls from one
    compiled function to another are inlined: passing arrays costs more than a day's arithmetic.
    """
    result: Callable[Parameters, Result] = _njit(forceinline=True, _nrt=False)(function)
    return result


def compiled_allocating(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile ``function``, which makes arrays, and is otherwise as those of ``compiled``."""
    result: Callable[Parameters, Result] = _njit(forceinline=True)(function)
    return result


def compiled_parallel(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile ``function`` as ``compiled`` does, its ``numba.prange`` loops spread over cores.

    For batch jobs alone: an environment's step must leave the other cores to its caller.
    """
    result: Callable[Parameters, Result] = _njit(parallel=True)(function)
    return result
