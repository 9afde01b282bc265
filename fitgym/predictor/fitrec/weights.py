"""A trained FitRec network as files: safetensors beside a JSON card that holds their hash."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from fitgym.common.weights import read_card, read_card_and_tensors, write_card_and_tensors
from fitgym.predictor.checkpoints import arrays_of, load_arrays
from fitgym.predictor.datasets import Vocabulary
from fitgym.predictor.fitrec.network import FitRecConfig, FitRecNetwork

SHIPPED_WEIGHTS = Path(str(files("fitgym") / "data" / "predictor" / "fitrec.safetensors"))

_KEYS = ("network", "users")


def save_model(
    path: str | os.PathLike[str],
    model: FitRecNetwork,
    vocabulary: Vocabulary,
    card: Mapping[str, Any],
) -> None:
    """Write the weights to ``path`` and their card beside it, with the suffix ``.json``.

    Args:
        path: Where the weights go; the suffix must be ``.safetensors``.
        model: The network.
        vocabulary: Rows of its user embedding.
        card: What the reader of the card should know (data, metrics, command, versions); the
            network's shape, the users and the weights' number and SHA-256 are added.
    """
    full = {**card, "network": asdict(model.config), "users": list(vocabulary.users)}
    write_card_and_tensors(path, full, arrays_of(model))


def load_model(path: str | os.PathLike[str]) -> tuple[FitRecNetwork, Vocabulary, dict[str, Any]]:
    """Read weights and card, after checking the hash.

    Args:
        path: The ``.safetensors`` file; its card lies beside it.

    Returns:
        The network in evaluation mode, the vocabulary of its users, and the card.

    Raises:
        OSError: If a file is missing or unreadable.
        ValueError: If the card is malformed, or the weights are not those the card describes.
    """
    card, arrays = read_card_and_tensors(path, _KEYS)
    try:
        shape = dict(card["network"])
        shape["attributes"] = tuple(shape["attributes"])
        model = FitRecNetwork(FitRecConfig(**shape))
        vocabulary = Vocabulary(tuple(card["users"]))
        load_arrays(model, arrays)
    except (RuntimeError, TypeError, KeyError, ValueError) as error:
        raise ValueError(
            f"{os.fspath(path)} does not fit the network in its card: {error}"
        ) from error
    if vocabulary.sizes[0] != model.config.attributes[0]:
        raise ValueError(
            f"the card of {os.fspath(path)} lists {vocabulary.sizes[0]} users, "
            f"the network has rows for {model.config.attributes[0]}"
        )
    return model.eval(), vocabulary, card


def weights_hash(path: str | os.PathLike[str] = SHIPPED_WEIGHTS) -> str:
    """Return the SHA-256 that the card beside the weights states, without loading them."""
    return str(read_card(path, _KEYS)["sha256"])
