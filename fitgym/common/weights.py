"""Weights as files: safetensors beside a JSON card of the same name that holds their hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.files import write_bytes, write_text
from fitgym.common.json_files import json_text, read_json

Tensors = dict[str, NDArray[Any]]


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
        ValueError: If the suffix is another.
    """
    from safetensors.numpy import save

    target = _checked_path(path)
    content = save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})
    full = {
        **card,
        "weights": sum(tensor.size for tensor in tensors.values()),
        "sha256": hashlib.sha256(content).hexdigest(),
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
    from safetensors import SafetensorError
    from safetensors.numpy import load

    source = _checked_path(path)
    card = read_card(path, keys)
    content = source.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != card["sha256"]:
        raise ValueError(
            f"{source} is corrupted or does not belong to {source.with_suffix('.json').name}: "
            f"its SHA-256 is {found}, the card says {card['sha256']}"
        )
    try:
        tensors: Tensors = load(content)
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{source} holds no readable tensors: {error}") from error
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise ValueError(f"{source}: the tensor {name!r} is not finite")
    return card, tensors


def read_card(path: str | os.PathLike[str], keys: Sequence[str] = ()) -> dict[str, Any]:
    """Return the card beside the weights at ``path``, without reading those.

    Args:
        path: The ``.safetensors`` file.
        keys: What the card must hold apart from the hash.

    Raises:
        OSError: If the card is missing or unreadable.
        ValueError: If it is malformed.
    """
    card_path = _checked_path(path).with_suffix(".json")
    card = read_json(card_path)
    if not isinstance(card, dict):
        raise ValueError(f"{card_path} is not a card of weights: it holds no object")
    missing = [name for name in (*keys, "sha256") if name not in card]
    if missing:
        raise ValueError(f"{card_path} is not a card of weights: it lacks {', '.join(missing)}")
    return card


def _checked_path(path: str | os.PathLike[str]) -> Path:
    checked = Path(path)
    if checked.suffix != ".safetensors":
        raise ValueError(f"weights must be a .safetensors file, got {str(path)!r}")
    return checked
