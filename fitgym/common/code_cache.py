"""Where compiled code is kept: on disk, in a folder that is only ever read by the same sources.

Numba checks a cached function against the file that it stands in, but functions of other files
are inlined and constants of other files are frozen. So the folder is named by a hash of every
module with compiled functions, and of the versions of numba and Python.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import platform
import shutil
import time
import warnings
from collections.abc import Callable
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numba.core.caching

from fitgym.common.cache import cache_folders, is_writable

# Any: numba has no type hints.
_caching: Any = numba.core.caching
_config: Any = numba.config

_PACKAGE = Path(__file__).parents[1]
# Modules with compiled functions import them from here; constants that these functions use stand
# in such modules, too.
_MARK = b"fitgym.common.compilation"
_PREFIX = "fitgym-code-"
# Folders of other sources are kept as long as someone may go back to them or be using them.
_KEPT_FOLDERS = 8
_KEPT_SECONDS = 3600.0


class _Locator(_caching._CacheLocator):  # type: ignore[misc]
    """Tells numba where the code of one function is kept, and what makes it stale."""

    def __init__(self, function: Callable[..., Any], file: str, folder: Path) -> None:
        self._folder = str(folder / self.get_suitable_cache_subpath(file))
        self._line = function.__code__.co_firstlineno
        # Numba's own messages name the file.
        self._py_file = file

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> _Locator | None:
        folder = code_folder()
        return None if folder is None else cls(py_func, py_file, folder)

    def get_cache_path(self) -> str:
        return self._folder

    def get_source_stamp(self) -> str:
        # For functions outside this package, whose sources do not name the folder.
        return hashlib.sha256(Path(self._py_file).read_bytes()).hexdigest()

    def get_disambiguator(self) -> str:
        return str(self._line)


class _Implementation(_caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = [_Locator]  # noqa: RUF012  numba's own


class CodeCache(_caching.FunctionCache):  # type: ignore[misc]
    """Numba's cache of one function, in our folder; damage and full disks cost time only."""

    _impl_class = _Implementation

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled code for a signature, or None where it must be compiled."""
        try:
            return super().load_overload(sig, target_context)
        # A damaged pickle raises whatever it stumbles on.
        except Exception as error:
            _warn_once(
                f"compiled code in {self.cache_path} is damaged and compiled anew: {error!r}"
            )
            self._try_to_write(self.flush)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the compiled code for a signature, unless sources were edited since the start."""

        def save() -> None:
            if sources_hash() == _hash_at_start():
                super(CodeCache, self).save_overload(sig, data)

        self._try_to_write(save)

    def _try_to_write(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            _warn_once(
                f"compiled code cannot be kept in {code_folder()}, so it will be compiled again by "
                f"the next process: {error.strerror}"
            )


@cache
def _warn_once(message: str) -> None:
    # One fault concerns many functions, and numba has its own filters of warnings.
    warnings.warn(message, RuntimeWarning, stacklevel=3)


def keep_code(dispatcher: Any) -> None:
    """Have the code of a function that numba compiles kept on disk, if there is a place for it."""
    if code_folder() is not None and Path(inspect.getfile(dispatcher.py_func)).is_file():
        dispatcher._cache = CodeCache(dispatcher.py_func)


@cache
def code_folder() -> Path | None:
    """Return the folder of this process's compiled code; None, with a warning, where there is none.

    It lies in ``NUMBA_CACHE_DIR`` where that is set, else in the user's cache or, where that cannot
    be written to, in a temporary folder; processes of one user share it.
    """
    chosen = [Path(_config.CACHE_DIR)] if _config.CACHE_DIR else []
    for root in chain(chosen, cache_folders()):
        folder = root / f"{_PREFIX}{_hash_at_start()}"
        new = not os.path.exists(folder)
        if is_writable(folder):
            os.utime(folder)
            if new:
                _remove_old_folders(folder)
            return folder
    warnings.warn(
        "compiled code can be kept neither in the user's cache nor in the temporary folder, so "
        "every process compiles it anew; set NUMBA_CACHE_DIR to a folder that can be written to",
        RuntimeWarning,
        stacklevel=2,
    )
    return None


def sources_hash() -> str:
    """Return a hash of all that compiled code depends on: sources, numba, Python."""
    digest = hashlib.sha256(f"numba {numba.__version__} {platform.python_version()}".encode())
    for path, source in compiled_sources().items():
        digest.update(f"{path.relative_to(_PACKAGE)} {len(source)} ".encode() + source)
    return digest.hexdigest()[:24]


def compiled_sources() -> dict[Path, bytes]:
    """Return the content of every module that compiled code depends on, by its path."""
    sources = {path: path.read_bytes() for path in sorted(_PACKAGE.glob("*/*.py"))}
    return {
        path: source
        for path, source in sources.items()
        if _MARK in source or path.name == "compilation.py"
    }


_hash_at_start = cache(sources_hash)


def _remove_old_folders(current: Path) -> None:
    """Remove the folders of other sources, but for those used last.

    A process that still uses one compiles what it misses again.
    """
    folders = []
    for folder in current.parent.glob(f"{_PREFIX}*"):
        try:
            folders.append((folder.stat().st_mtime, folder))
        except OSError:
            continue
    for used, folder in sorted(folders, reverse=True)[_KEPT_FOLDERS:]:
        if folder != current and time.time() - used > _KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
