"""A trained FitRec-Attn as files: safetensors beside a JSON card that holds their hash."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from fitgym.common.files import write_bytes, write_text
from fitgym.predictor.attention.network import AttentionConfig, FitRecAttention
from fitgym.predictor.fitrec.weights import checked_path

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
            network's shape, the number of weights and their SHA-256 are added.

    Raises:
        ValueError: If the suffix is another, or the network has rows of people.
    """
    target = checked_path(path)
    if model.config.attributes[0] != 1:
        raise ValueError(
            f"model must know no people to be saved, its user embedding has "
            f"{model.config.attributes[0]} rows"
        )
    content = save(model.state_dict())
    full = {
        **card,
        "network": asdict(model.config),
        "weights": sum(parameter.numel() for parameter in model.parameters()),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    write_bytes(target, content)
    write_text(target.with_suffix(".json"), json.dumps(full, indent=2) + "\n")


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
    source = checked_path(path)
    content = source.read_bytes()
    card_path = source.with_suffix(".json")
    try:
        card = json.loads(card_path.read_text(encoding="utf-8"))
        stated = card["sha256"]
        shape = dict(card["network"])
        shape["attributes"] = tuple(shape["attributes"])
        config = AttentionConfig(**shape)
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{card_path} is not a readable card: {error}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != stated:
        raise ValueError(
            f"{source} is corrupted or does not belong to {card_path.name}: "
            f"its SHA-256 is {found}, the card says {stated}"
        )
    model = FitRecAttention(config)
    try:
        model.load_state_dict(load(content))
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(f"{source} does not fit the network in {card_path}: {error}") from error
    return model.eval(), card
