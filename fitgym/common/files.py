"""Atomic writing of files, and locks on folders that several processes may write to."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Part of the names of temporary files and folders, by which those of killed processes are found.
MARK = ".fitgym-tmp-"

# A temporary file that nobody has written to for so long belongs to a process that is gone.
_LEFTOVER_SECONDS = 3600.0

_LOCK = ".lock"


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that is renamed to it when the block succeeds.

    A reader sees the old content or the new, never a part of it. Missing parent folders are made.
    When the block raises, the temporary file is removed and ``path`` is left as it was; what a
    killed process left in the folder is removed by a later call. The temporary name keeps the
    suffix of ``path``, since many writers choose their format by it.

    Args:
        path: Where the finished file is to be.

    Yields:
        The path to write to.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(target.parent)
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{target.stem}{MARK}", suffix=target.suffix, dir=target.parent
        )
    except OSError as error:
        # Nobody knows the temporary name.
        error.filename = str(target)
        raise
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private; the finished file gets the permissions of a normal one.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        os.replace(temporary, target)
    except OSError as error:
        # A full disk does not say which file it was too full for.
        if error.filename is None:
            error.filename = str(target)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def temporary_folder(beside: str | os.PathLike[str]) -> Path:
    """Make a folder beside a path, to be filled and renamed to it, and return it.

    What killed processes left there is removed by a later call.
    """
    target = Path(beside)
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(target.parent)
    return Path(tempfile.mkdtemp(prefix=f".{target.name}{MARK}", dir=target.parent))


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write ``content`` to ``path`` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike[str], content: str) -> None:
    """Write ``content`` to ``path`` atomically, as UTF-8."""
    write_bytes(path, content.encode("utf-8"))


@contextmanager
def lock_folder(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Keep other processes from locking a folder while the block runs.

    The lock belongs to the operating system, which releases it when the process ends, killed or
    not. The file ``.lock`` that carries it stays. On file systems without locks, the block runs
    without one.

    Args:
        folder: Made if missing.

    Raises:
        BlockingIOError: If it is locked already.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with (target / _LOCK).open("ab") as file:
        try:
            _lock(file.fileno())
        except (BlockingIOError, PermissionError):
            raise BlockingIOError(
                f"{target} is in use: another process is writing to it; wait for it to end or "
                "give another folder"
            ) from None
        except OSError:
            pass
        yield


def is_leftover(path: Path) -> bool:
    """Return whether a file has not been written to for so long that its writer must be gone."""
    try:
        return time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS
    except OSError:
        return False


def _remove_leftovers(folder: Path) -> None:
    for path in folder.glob(f".*{MARK}*"):
        if is_leftover(path):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
                continue
            with suppress(OSError):
                path.unlink()


def _lock(handle: int) -> None:
    """Lock an open file for this process; OSError if another one has."""
    if sys.platform == "win32":
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
