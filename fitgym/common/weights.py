"""Weights in safetensors files, checked against the SHA-256 in the JSON card beside them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.json_files import read_json


def pack(tensors: Mapping[str, NDArray[Any]]) -> tuple[bytes, str]:
    """Return arrays as the content of a safetensors file, and its SHA-256.

    Raises:
        ValueError: If a value is NaN or infinite.
    """
    from safetensors.numpy import save

    for name, tensor in tensors.items():
        _require_finite("the weights to be saved hold", name, tensor)
    # safetensors writes the memory as it lies, whatever the strides.
    content = save({name: np.array(tensor, order="C") for name, tensor in tensors.items()})
    return content, hashlib.sha256(content).hexdigest()


def unpack(
    content: bytes, sha256: object, source: str | os.PathLike[str]
) -> dict[str, NDArray[Any]]:
    """Return the arrays in the content of a safetensors file, by name; they are read-only.

    Args:
        content: What the file holds.
        sha256: Hash that its card states, in hexadecimal.
        source: The file, for messages.

    Raises:
        ValueError: If the content is not what the card was written for, is no safetensors file, or
            holds values that are NaN or infinite.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(
            f"{source} is damaged or belongs to another card: its SHA-256 is {found}, the card "
            f"says {sha256!r}"
        )
    try:
        tensors: dict[str, NDArray[Any]] = load(content)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{source} is not a safetensors file: {error}") from error
    for name, tensor in tensors.items():
        _require_finite(f"{source} holds", name, tensor)
    return tensors


def read_card(path: str | os.PathLike[str], keys: Sequence[str]) -> dict[str, Any]:
    """Return the object in a JSON card.

    Args:
        path: The card.
        keys: What it must have.

    Raises:
        OSError: If the card cannot be read.
        ValueError: If it is not valid JSON, holds no object, or lacks a key.
    """
    card = read_json(path)
    if not isinstance(card, dict):
        raise ValueError(f"{path} is not a card: it must hold keys and values")
    missing = sorted(set(keys) - set(card))
    if missing:
        raise ValueError(f"{path} lacks the keys {missing}")
    return card


def _require_finite(where: str, name: str, tensor: NDArray[Any]) -> None:
    if np.issubdtype(tensor.dtype, np.inexact) and not np.isfinite(tensor).all():
        raise ValueError(f"{where} values that are not finite in {name!r}")
