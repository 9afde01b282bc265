"""Loading of saved agents; ``Agent.save`` writes them."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

from fitgym.common.json_files import read_object
from fitgym.common.weights import Tensors, unpack
from fitgym_agents.agent import CARD, CARD_FORMAT, Agent
from fitgym_agents.registry import import_agent

_KEYS = ("format", "class", "configuration", "weights", "sha256")

# How often to read again while another process keeps saving.
_ATTEMPTS = 10


def load_agent(folder: str | os.PathLike[str]) -> Agent:
    """Return the agent that was saved in ``folder``; another process may be saving there.

    Loading runs code, so load only folders whose code you would run: the class that ``agent.json``
    names is imported, and so are the modules that its configuration names, which for a learner are
    those of its environment's id (``module:Name-v0``) and of a custom adherence (``module:Class``).
    The weights are safetensors and run nothing.

    Raises:
        FileNotFoundError: If there is no saved agent.
        ValueError: If a file is damaged or of another format, or the class cannot be found; the
            message names the file or folder.
        ImportError: If the agent needs a package that is not installed.
    """
    path = Path(folder) / CARD
    card, tensors = _read(path)
    try:
        return import_agent(card["class"]).from_saved(card["configuration"], tensors)
    except (ImportError, MemoryError, OSError):
        raise
    except KeyError as error:
        raise ValueError(f"the agent saved in {path.parent} lacks {error}") from error
    except Exception as error:
        # What is wrong in a file can raise anything in the class that reads it.
        reason = textwrap.shorten(str(error), 500, placeholder=" ...")
        raise ValueError(
            f"the agent saved in {path.parent} cannot be made here: "
            f"{type(error).__name__}: {reason}"
        ) from error


def _read(path: Path) -> tuple[dict[str, Any], Tensors]:
    """Return the card and the arrays of the weights that it names."""
    card = _read_card(path)
    for _ in range(_ATTEMPTS):
        if card["weights"] is None:
            return card, {}
        # Its last part alone, so that nothing outside the folder is read.
        weights = path.parent / Path(card["weights"]).name
        try:
            return card, unpack(weights.read_bytes(), card["sha256"], weights, path)
        except FileNotFoundError:
            # Another process has replaced the agent since the card was read.
            before, card = card, _read_card(path)
            if card == before:
                raise
    raise ValueError(f"{path} is being replaced too often to be read")


def _read_card(path: Path) -> dict[str, Any]:
    card = read_object(path, _KEYS)
    if card["format"] != CARD_FORMAT:
        raise ValueError(
            f"{path} is of format {card['format']!r}; this version reads format {CARD_FORMAT}"
        )
    kinds = {"class": str, "configuration": dict, "weights": str | None, "sha256": str | None}
    for key, kind in kinds.items():
        if not isinstance(card[key], kind):
            raise ValueError(f"{path} has the wrong type of {key}: {type(card[key]).__name__}")
    return card
