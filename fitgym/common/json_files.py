"""Strict JSON: errors that name the file, and no NaN or infinity, read or written."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn


def read_json(path: str | os.PathLike[str]) -> Any:
    """Return the content of a JSON file.

    Stricter than ``json.load``: NaN and infinities, which are not JSON, and keys that occur twice
    in one object are errors.

    Args:
        path: The file, UTF-8 (a byte order mark may come first).

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not valid JSON.
    """
    return parse_json(Path(path).read_bytes(), os.fspath(path))


def read_object(path: str | os.PathLike[str], keys: Sequence[str] = ()) -> dict[str, Any]:
    """Return the object in a JSON file, as ``read_json`` does.

    Args:
        path: The file.
        keys: What the object must have.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not valid JSON, holds something else, or lacks a key.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError(f"{os.fspath(path)} holds no object of names and values")
    missing = [key for key in keys if key not in content]
    if missing:
        raise ValueError(f"{os.fspath(path)} lacks {', '.join(missing)}")
    return content


def parse_json(content: bytes, source: str) -> Any:
    """Return what a JSON text says, as ``read_json`` does.

    Args:
        content: The text, UTF-8.
        source: How to call it in errors, for example the file's path.

    Raises:
        ValueError: If it is not valid JSON.
    """
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise ValueError(f"{source} is not valid JSON: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{source} is not valid JSON: {error}") from None


def json_text(content: Any, *, indent: int = 2) -> str:
    """Return ``content`` as JSON; numbers that are not finite, which JSON lacks, become null.

    Args:
        content: Nested mappings, sequences, numbers, strings, booleans and None.
        indent: Blanks per level.
    """
    return json.dumps(_finite(content), indent=indent, allow_nan=False)


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {key!r} occurs twice in one object")
        result[key] = value
    return result


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number that JSON knows")
