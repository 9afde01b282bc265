"""The network that predicts speed as files: safetensors beside a JSON card."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from fitgym.common.weights import read_card_and_tensors, write_card_and_tensors
from fitgym.predictor.checkpoints import arrays_of, load_arrays
from fitgym.predictor.fitrec2.network import Fitrec2Config
from fitgym.predictor.speed.network import SpeedNetwork

SHIPPED_SPEED = Path(str(files("fitgym") / "data" / "predictor" / "speed.safetensors"))


def save_speed(path: str | os.PathLike[str], model: SpeedNetwork, card: Mapping[str, Any]) -> None:
    """Write the weights to ``path`` and their card beside it, with the suffix ``.json``."""
    write_card_and_tensors(path, {**card, "network": asdict(model.config)}, arrays_of(model))


def load_speed(
    path: str | os.PathLike[str] = SHIPPED_SPEED,
) -> tuple[SpeedNetwork, dict[str, Any]]:
    """Read weights and card (those shipped, by default), after checking the hash.

    Returns:
        The network in evaluation mode and the card.

    Raises:
        OSError: If a file is missing or unreadable.
        ValueError: If the card is malformed, or the weights are not those the card describes.
    """
    card, arrays = read_card_and_tensors(path, ("network",))
    try:
        model = SpeedNetwork(Fitrec2Config(**card["network"]))
        load_arrays(model, arrays)
    except (RuntimeError, TypeError, KeyError, ValueError) as error:
        raise ValueError(
            f"{os.fspath(path)} does not fit the network in its card: {error}"
        ) from error
    return model.eval(), card
