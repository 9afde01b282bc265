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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fitgym.common.files import write_bytes

Content = TypeVar("Content")


def cache_folders() -> Iterator[Path]:
    """Yield where to look for cached files and where to keep them, the preferred place first.

    They are the user's cache folder, which need not exist, and for where that cannot be written to
    a temporary folder that belongs to the user alone.
    """
    import platformdirs

    yield platformdirs.user_cache_path("fitgym")
    temporary = _temporary_folder()
    if temporary is not None:
        yield temporary


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
    for folder in cache_folders():
        try:
            return read(folder / name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            _warn(f"a cached file cannot be used and is made anew: {error}")
    content = make()
    for folder in cache_folders():
        try:
            write(content, folder / name)
        except OSError as error:
            _warn(f"{name} cannot be cached in {folder}: {error}")
        else:
            break
    return content


def write_arrays(path: Path, key: str, arrays: dict[str, NDArray[Any]]) -> None:
    """Write arrays to a compressed ``.npz`` file, atomically, with a hash of them and their key.

    Args:
        path: Where.
        key: What they are the answer to; ``read_arrays`` asks for it.
        arrays: By name.
    """
    file = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez_compressed(file, **named)
    content = file.getvalue()
    # Readers of zip archives take no notice of what follows.
    write_bytes(path, content + _digest(key, content))


def read_arrays(path: Path, key: str) -> dict[str, NDArray[Any]]:
    """Return the arrays that ``write_arrays`` wrote, by name.

    Args:
        path: Where.
        key: What they must be the answer to.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If it is damaged, or holds the answer to something else.
    """
    stored = path.read_bytes()
    size = hashlib.sha256().digest_size
    content, digest = stored[:-size], stored[-size:]
    if digest != _digest(key, content):
        raise ValueError(f"{path} is damaged, or holds something else than what {key!r} stands for")
    return load_arrays(content)


def load_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """Return every array of the content of an ``.npz`` file, by name."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)


def _digest(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + content).digest()


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
