"""The second edition as files: safetensors beside a JSON card with hash and spread."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from fitgym.common.weights import read_card, read_card_and_tensors, write_card_and_tensors
from fitgym.predictor.checkpoints import arrays_of, load_arrays
from fitgym.predictor.correction import VarianceComponents
from fitgym.predictor.fitrec2.network import Fitrec2Config, Fitrec2Network

SHIPPED_WEIGHTS = Path(str(files("fitgym") / "data" / "predictor" / "fitrec2.safetensors"))

_KEYS = ("network", "components")


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
            weights' number and SHA-256 are added.
    """
    full = {**card, "network": asdict(model.config), "components": components.as_dict()}
    write_card_and_tensors(path, full, arrays_of(model))


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
    card, arrays = read_card_and_tensors(path, _KEYS)
    try:
        model = Fitrec2Network(Fitrec2Config(**card["network"]))
        components = VarianceComponents.from_dict(card["components"])
        load_arrays(model, arrays)
    except (RuntimeError, TypeError, KeyError, ValueError) as error:
        raise ValueError(
            f"{os.fspath(path)} does not fit the network in its card: {error}"
        ) from error
    return model.eval(), components, card


def weights_hash(path: str | os.PathLike[str] = SHIPPED_WEIGHTS) -> str:
    """Return the SHA-256 that the card beside the weights states, without loading them."""
    return str(read_card(path, _KEYS)["sha256"])
