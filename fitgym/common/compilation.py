"""The one way functions are compiled: by numba, or run as they stand where there is none.

Everything particular about compiling stands here and in ``code_cache``. Without numba, or with
``NUMBA_DISABLE_JIT=1``, functions give the same numbers many times as slowly.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

numba: Any
try:
    import numba

    from fitgym.common.code_cache import keep_code
except ImportError as _error:
    numba = None
    warnings.warn(
        f"numba cannot be imported ({_error}), so environments are many times slower",
        RuntimeWarning,
        stacklevel=2,
    )

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# Whether functions are compiled; else they run as Python.
COMPILES = numba is not None and not numba.config.DISABLE_JIT

# Loops over it are spread over cores in functions that are ``compiled_parallel``.
parallel_range: Any = range if numba is None else numba.prange


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile ``function``, which makes no arrays, and keep the machine code on disk.

    The arithmetic is IEEE without reassociation, so that a compiled function gives the same
    bits wherever it is called from. Division by zero gives infinity, as in numpy.
    """
    # Calls are inlined, since passing arrays costs more than the arithmetic of a day. Nobody counts
    # references (numba's private option _nrt), which takes three atomic operations an array and
    # call.
    return _compile(function, forceinline=True, _nrt=False)


def compiled_allocating(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile ``function``, which makes arrays, and is otherwise as those of ``compiled``."""
    return _compile(function, forceinline=True)


def compiled_parallel(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile ``function`` as ``compiled`` does, its ``parallel_range`` loops spread over cores.

    For batch jobs alone: an environment's step must leave the other cores to its caller.
    """
    return _compile(function, parallel=True)


def _compile(
    function: Callable[Parameters, Result], **options: Any
) -> Callable[Parameters, Result]:
    if not COMPILES:
        return _interpreted(function)
    dispatcher: Any = numba.njit(error_model="numpy", **options)(function)
    keep_code(dispatcher)
    result: Callable[Parameters, Result] = dispatcher
    return result


def _interpreted(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return ``function`` as Python runs it, with numba's reading of records and of overflow."""

    @functools.wraps(function)
    def call(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
        # Integers wrap around and divisions by zero are infinite without a word.
        with np.errstate(all="ignore"):
            return function(*map(_with_attributes, arguments), **named)

    return call


def _with_attributes(value: Any) -> Any:
    """Return records with their fields as attributes, as compiled code reads them; all else as is.

    What is returned shares its memory with ``value``.
    """
    if isinstance(value, np.ndarray) and value.dtype.names and not isinstance(value, np.recarray):
        return value.view(np.recarray)
    if isinstance(value, np.void) and not isinstance(value, np.record):
        return value.view((np.record, value.dtype))
    if isinstance(value, tuple) and hasattr(value, "_make"):
        return value._make(map(_with_attributes, value))
    return value
