"""A trained FitRec-Attn as files: safetensors beside a JSON card that holds their hash."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from fitgym.common.weights import read_card_and_tensors, write_card_and_tensors
from fitgym.predictor.attention.network import AttentionConfig, FitRecAttention
from fitgym.predictor.checkpoints import arrays_of, load_arrays

SHIPPED_ATTENTION = Path(str(files("fitgym") / "data" / "predictor" / "attention.safetensors"))


def without_users(model: FitRecAttention) -> FitRecAttention:
    """Return a copy whose only user is ``unknown``: what is shipped holds no row of any person."""
    attributes = (1, *model.config.attributes[1:])
    copy = FitRecAttention(replace(model.config, attributes=attributes))
    state = dict(model.state_dict())
    state["embeddings.0.weight"] = state["embeddings.0.weight"][:1]
    copy.load_state_dict(state)
    return copy.eval()


def save_attention(
    path: str | os.PathLike[str], model: FitRecAttention, card: Mapping[str, Any]
) -> None:
    """Write the weights to ``path`` and their card beside it, with the suffix ``.json``.

    Args:
        path: Where the weights go; the suffix must be ``.safetensors``.
        model: The network, which may know no people (see ``without_users``).
        card: What the reader of the card should know (data, metrics, command, versions); the
            network's shape and the weights' number and SHA-256 are added.

    Raises:
        ValueError: If the suffix is another, or the network has rows of people.
    """
    if model.config.attributes[0] != 1:
        raise ValueError(
            f"model must know no people to be saved, its user embedding has "
            f"{model.config.attributes[0]} rows"
        )
    write_card_and_tensors(path, {**card, "network": asdict(model.config)}, arrays_of(model))


def load_attention(
    path: str | os.PathLike[str] = SHIPPED_ATTENTION,
) -> tuple[FitRecAttention, dict[str, Any]]:
    """Read weights and card (those shipped, by default), after checking the hash.

    Returns:
        The network in evaluation mode and the card.

    Raises:
        OSError: If a file is missing or unreadable.
        ValueError: If the card is malformed, or the weights are not those the card describes.
    """
    card, arrays = read_card_and_tensors(path, ("network",))
    try:
        shape = dict(card["network"])
        shape["attributes"] = tuple(shape["attributes"])
        model = FitRecAttention(AttentionConfig(**shape))
        load_arrays(model, arrays)
    except (RuntimeError, TypeError, KeyError, ValueError) as error:
        raise ValueError(
            f"{os.fspath(path)} does not fit the network in its card: {error}"
        ) from error
    return model.eval(), card
