"""The one way functions are compiled here: numba, cached on disk, types kept for checkers."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

__all__ = ["compiled", "compiled_parallel"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile ``function`` with numba in nopython mode and cache the machine code on disk.

    The arithmetic is IEEE without reassociation, so that a compiled function gives the same
    bits wherever it is called from. Division by zero gives infinity, as in numpy. Calls from one
    compiled function to another are inlined: passing arrays costs more than a day's arithmetic.
    """
    result: Callable[Parameters, Result] = numba.njit(
        cache=True, error_model="numpy", forceinline=True
    )(function)
    return result


def compiled_parallel(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile ``function`` as ``compiled`` does, its ``numba.prange`` loops spread over cores.

    For batch jobs alone: an environment's step must leave the other cores to its caller.
    """
    result: Callable[Parameters, Result] = numba.njit(
        cache=True, error_model="numpy", parallel=True
    )(function)
    return result
