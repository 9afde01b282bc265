"""Types of the words on the command line, for ``add_argument(type=...)``.

Argparse names the option in front of their messages. A default that is given as a string passes
through them, too.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path


def input_path(text: str) -> Path:
    """Return the path of a file or folder to read.

    Raises:
        argparse.ArgumentTypeError: If the text is empty, as after an unset variable of the shell;
            pathlib takes it as the working directory.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError(f"must be a path, got {text!r}")
    return Path(text)


def output_folder(text: str) -> Path:
    """Return the path of a folder that can be written to, or made; nothing is made yet.

    Raises:
        argparse.ArgumentTypeError: If the text is empty, or the folder cannot be written to: better
            known before the work than after it.
    """
    path = input_path(text)
    existing = path
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise argparse.ArgumentTypeError(
            f"must be a folder, or where one can be made, got {text!r}: {existing} is a file"
        )
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"must be a folder that can be written to, got {text!r}: {error.strerror}"
        ) from None
    return path


def output_file(text: str) -> Path:
    """Return the path of a file that can be written; nothing is made yet.

    Raises:
        argparse.ArgumentTypeError: If the text is empty or names a folder, or the folder that the
            file is to be in cannot be written to.
    """
    path = input_path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"must be a file, got the folder {text!r}")
    output_folder(str(path.parent))
    return path
