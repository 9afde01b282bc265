"""The second edition as files: safetensors beside a JSON card with hash and spread."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from fitgym.common.files import write_bytes, write_text
from fitgym.predictor.correction import VarianceComponents
from fitgym.predictor.fitrec.weights import checked_path
from fitgym.predictor.fitrec2.network import Fitrec2Config, Fitrec2Network

SHIPPED_WEIGHTS = Path(str(files("fitgym") / "data" / "predictor" / "fitrec2.safetensors"))


def save_weights(
    path: str | os.PathLike[str],
    model: Fitrec2Network,
    components: VarianceComponents,
    card: Mapping[str, Any],
) -> None:
    """Write the weights to ``path`` and their card beside it, with the suffix ``.json``.

    Args:
        path: Where the weights go; the suffix must be ``.safetensors``.
        model: The network.
        components: Spread of its errors over people, sports and sessions.
        card: What the reader of the card should know; the network's shape, the components and the
            weights' SHA-256 are added.
    """
    target = checked_path(path)
    content = save(model.state_dict())
    full = {
        **card,
        "network": asdict(model.config),
        "components": components.as_dict(),
        "weights": sum(parameter.numel() for parameter in model.parameters()),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    write_bytes(target, content)
    write_text(target.with_suffix(".json"), json.dumps(full, indent=2) + "\n")


def load_weights(
    path: str | os.PathLike[str] = SHIPPED_WEIGHTS,
) -> tuple[Fitrec2Network, VarianceComponents, dict[str, Any]]:
    """Read weights and card, after checking the hash.

    Returns:
        The network in evaluation mode, the components of its errors' spread, and the card.

    Raises:
        OSError: If a file is missing or unreadable.
        ValueError: If the card is malformed, or the weights are not those the card describes.
    """
    source = checked_path(path)
    card_path = source.with_suffix(".json")
    content = source.read_bytes()
    try:
        card = json.loads(card_path.read_text(encoding="utf-8"))
        expected = card["sha256"]
        config = Fitrec2Config(**card["network"])
        components = VarianceComponents.from_dict(card["components"])
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{card_path} is not a readable card: {error}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(
            f"{source} is corrupted or does not belong to {card_path.name}: "
            f"its SHA-256 is {found}, the card says {expected}"
        )
    model = Fitrec2Network(config)
    try:
        model.load_state_dict(load(content))
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(f"{source} does not fit the network in {card_path}: {error}") from error
    return model.eval(), components, card
