"""The trained network as files: safetensors beside a JSON card that holds their hash."""

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
from fitgym.predictor.datasets import Vocabulary
from fitgym.predictor.fitrec.network import FitRecConfig, FitRecNetwork

SHIPPED_WEIGHTS = Path(str(files("fitgym") / "data" / "predictor" / "fitrec.safetensors"))


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
            network's shape, the users and the weights' SHA-256 are added.
    """
    target = checked_path(path)
    content = save(model.state_dict())
    full = {
        **card,
        "network": asdict(model.config),
        "users": list(vocabulary.users),
        "weights": sum(parameter.numel() for parameter in model.parameters()),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    write_bytes(target, content)
    write_text(target.with_suffix(".json"), json.dumps(full, indent=2) + "\n")


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
    source = checked_path(path)
    content = source.read_bytes()
    card_path = source.with_suffix(".json")
    card = _read_card(card_path)
    found = hashlib.sha256(content).hexdigest()
    if found != card["sha256"]:
        raise ValueError(
            f"{source} is corrupted or does not belong to {card_path.name}: "
            f"its SHA-256 is {found}, the card says {card['sha256']}"
        )
    try:
        shape = dict(card["network"])
        shape["attributes"] = tuple(shape["attributes"])
        model = FitRecNetwork(FitRecConfig(**shape))
        vocabulary = Vocabulary(tuple(card["users"]))
        model.load_state_dict(load(content))
    except (SafetensorError, RuntimeError, TypeError, KeyError) as error:
        raise ValueError(f"{source} does not fit the network in {card_path}: {error}") from error
    if vocabulary.sizes[0] != model.config.attributes[0]:
        raise ValueError(
            f"{card_path} lists {vocabulary.sizes[0]} users, "
            f"the network has rows for {model.config.attributes[0]}"
        )
    return model.eval(), vocabulary, card


def weights_hash(path: str | os.PathLike[str] = SHIPPED_WEIGHTS) -> str:
    """Return the SHA-256 that the card beside the weights states, without loading them."""
    return str(_read_card(checked_path(path).with_suffix(".json"))["sha256"])


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not a readable card: {error}") from error
    if not isinstance(card, dict):
        raise ValueError(f"{path} is not a readable card: it holds no object")
    missing = [name for name in ("network", "users", "sha256") if name not in card]
    if missing:
        raise ValueError(f"{path} is not a readable card: it lacks {', '.join(missing)}")
    return card


def checked_path(path: str | os.PathLike[str]) -> Path:
    """Return ``path`` after checking its suffix; anything but ``.safetensors`` is an error."""
    checked = Path(path)
    if checked.suffix != ".safetensors":
        raise ValueError(f"weights must be a .safetensors file, got {str(path)!r}")
    return checked
