"""Weights as files: safetensors, and a JSON card that holds their hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.files import write_bytes, write_text
from fitgym.common.json_files import json_text, read_object

Tensors = dict[str, NDArray[Any]]


def pack(tensors: Mapping[str, NDArray[Any]]) -> tuple[bytes, str]:
    """Return tensors as the content of a safetensors file, and its SHA-256 in hexadecimal.

    Raises:
        ValueError: If a value is NaN or infinite.
    """
    from safetensors.numpy import save

    _require_finite("weights", tensors)
    # safetensors writes the memory as it lies, whatever the strides.
    content = save({name: np.array(tensor, order="C") for name, tensor in tensors.items()})
    return content, hashlib.sha256(content).hexdigest()


def unpack(content: bytes, sha256: object, source: Path, card: Path) -> Tensors:
    """Return the tensors in the content of a safetensors file, by name; they are read-only.

    Args:
        content: What the file holds.
        sha256: Its hash according to the card.
        source: The file, for messages.
        card: The card, for messages.

    Raises:
        ValueError: If the content is not what the card describes, holds no tensors, or a value is
            NaN or infinite.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(
            f"{source} is corrupted or does not belong to {card.name}: its SHA-256 is {found}, "
            f"the card says {sha256}"
        )
    try:
        tensors: Tensors = load(content)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{source} holds no readable tensors: {error}") from error
    _require_finite(str(source), tensors)
    return tensors


def write_card_and_tensors(
    path: str | os.PathLike[str], card: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]
) -> None:
    """Write tensors to ``path`` and their card beside it, with the suffix ``.json``.

    Args:
        path: Where the tensors go; the suffix must be ``.safetensors``.
        card: What the reader of the card should know; the number of weights and the SHA-256 of
            the tensors' file are added.
        tensors: By name.

    Raises:
        ValueError: If the suffix is another, or a value is NaN or infinite.
    """
    target = _checked_path(path)
    content, sha256 = pack(tensors)
    full = {
        **card,
        "weights": sum(tensor.size for tensor in tensors.values()),
        "sha256": sha256,
    }
    write_bytes(target, content)
    write_text(target.with_suffix(".json"), json_text(full) + "\n")


def read_card_and_tensors(
    path: str | os.PathLike[str], keys: Sequence[str] = ()
) -> tuple[dict[str, Any], Tensors]:
    """Return the card and the tensors at ``path``, after checking that they belong together.

    Args:
        path: The ``.safetensors`` file; its card lies beside it.
        keys: What the card must hold apart from the hash.

    Raises:
        OSError: If a file is missing or unreadable.
        ValueError: If the card is malformed, the tensors are not those it describes, or one of
            them is not finite.
    """
    source = _checked_path(path)
    card = read_card(path, keys)
    content = source.read_bytes()
    return card, unpack(content, card["sha256"], source, source.with_suffix(".json"))


def read_card(path: str | os.PathLike[str], keys: Sequence[str] = ()) -> dict[str, Any]:
    """Return the card beside the weights at ``path``, without reading those.

    Args:
        path: The ``.safetensors`` file.
        keys: What the card must hold apart from the hash.

    Raises:
        OSError: If the card is missing or unreadable.
        ValueError: If it is malformed.
    """
    return read_object(_checked_path(path).with_suffix(".json"), (*keys, "sha256"))


def _checked_path(path: str | os.PathLike[str]) -> Path:
    checked = Path(path)
    if checked.suffix != ".safetensors":
        raise ValueError(f"weights must be a .safetensors file, got {str(path)!r}")
    return checked


def _require_finite(source: str, tensors: Mapping[str, NDArray[Any]]) -> None:
    for name, tensor in tensors.items():
        if np.issubdtype(tensor.dtype, np.inexact) and not np.isfinite(tensor).all():
            raise ValueError(f"{source}: the tensor {name!r} is not finite")
