"""Files that can be made anew at any time, kept in the user's cache or a temporary folder.

A cache saves time and nothing else: where it is missing, damaged, full or not writable, a warning
says so and the work goes on.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fitgym.common.files import write_bytes

Content = TypeVar("Content")


def cache_folders() -> list[Path]:
    """Return where to look for cached files and where to keep them, the preferred place first.

    They are the user's cache folder and, for where that cannot be written to, a temporary folder
    that belongs to the user alone. Neither need exist.
    """
    import platformdirs

    temporary = _temporary_folder()
    return [platformdirs.user_cache_path("fitgym"), *([temporary] if temporary else [])]


def is_writable(folder: Path) -> bool:
    """Return whether files can be written in ``folder``, which is made where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            # A full disk lets empty files be made.
            file.write(b"\0" * 4096)
    except OSError:
        return False
    return True


def cached(
    name: str,
    read: Callable[[Path], Content],
    make: Callable[[], Content],
    write: Callable[[Content, Path], None],
) -> Content:
    """Return what is cached under ``name``, or make it now and cache it.

    Args:
        name: Path of the file inside the cache folder.
        read: Reads the file; raises ValueError where it is damaged or holds something else.
        make: Makes the content anew.
        write: Writes the content to a file.
    """
    paths = [folder / name for folder in cache_folders()]
    for path in paths:
        try:
            return read(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            _warn(f"a cached file cannot be used and is made anew: {error}")
    content = make()
    for path in paths:
        try:
            write(content, path)
        except OSError as error:
            _warn(f"what took time to make cannot be cached: {error}")
        else:
            break
    return content


def write_arrays(path: Path, key: str, arrays: dict[str, NDArray[Any]]) -> None:
    """Write arrays to a compressed ``.npz`` file, atomically, with their key and a hash of them.

    Args:
        path: Where.
        key: What they are the answer to; ``read_arrays`` asks for it.
        arrays: By name.
    """
    content = io.BytesIO()
    np.savez_compressed(
        content, allow_pickle=False, **arrays, key=np.array(key), sha256=np.array(_hash(arrays))
    )
    write_bytes(path, content.getvalue())


def read_arrays(path: Path, key: str) -> dict[str, NDArray[Any]]:
    """Return the arrays that ``write_arrays`` wrote, by name.

    Args:
        path: Where.
        key: What they must be the answer to.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If it is damaged, or holds the answer to something else.
    """
    arrays = load_arrays(path)
    found, digest = (str(arrays.pop(name, "")) for name in ("key", "sha256"))
    if found != key:
        raise ValueError(f"{path} must hold what {key!r} stands for, got {found!r}")
    if digest != _hash(arrays):
        raise ValueError(f"{path} is damaged: its content does not have the hash written in it")
    return arrays


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return every array of an ``.npz`` file, by name.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If it is no readable ``.npz`` file.
    """
    content = path.read_bytes()
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)
    # Damaged archives raise whatever their reader stumbles on.
    except Exception as error:
        raise ValueError(f"{path} is damaged and cannot be read: {error}") from error


def _hash(arrays: dict[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _temporary_folder() -> Path | None:
    """Return this user's folder among the temporary ones, or None where none is safe to use."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    try:
        folder = Path(tempfile.gettempdir()) / f"fitgym-{user}"
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    # Everybody may make folders there, and what is cached is trusted.
    if not stat.S_ISDIR(status.st_mode):
        return None
    if hasattr(os, "getuid") and (status.st_uid != user or status.st_mode & 0o022):
        return None
    return folder


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=3)
