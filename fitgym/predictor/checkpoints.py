"""State of networks: as arrays, and as the checkpoint of a training run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from fitgym.common.files import atomic_path


def arrays_of(model: nn.Module) -> dict[str, NDArray[Any]]:
    """Return the weights of ``model`` as arrays by name."""
    return {name: tensor.numpy(force=True) for name, tensor in model.state_dict().items()}


def load_arrays(model: nn.Module, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Put arrays by name into ``model`` as its weights.

    Raises:
        RuntimeError: If a name or shape is not that of a weight of the network.
    """
    model.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})


def save_checkpoint(
    path: Path,
    run: str,
    records: Sequence[Any],
    best: dict[str, Tensor],
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
) -> None:
    """Write a checkpoint, from which a training goes on to the same bits, atomically.

    Args:
        path: Where it goes.
        run: What identifies the run: a hash of its settings and data.
        records: The epochs so far, dataclasses.
        best: Weights of the best epoch.
        model: The network as it is.
        optimiser: Its optimiser.
    """
    tensors = {f"best.{name}": tensor for name, tensor in best.items()}
    for name, parameter in model.named_parameters():
        tensors[f"model.{name}"] = parameter.detach()
        for key, value in optimiser.state[parameter].items():
            tensors[f"optimiser.{name}.{key}"] = value
    # The records travel in the file's own header, so that they and the weights are of one epoch.
    state = json.dumps({"run": run, "records": [asdict(record) for record in records]})
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={"state": state})


def restore_checkpoint(
    path: Path, run: str, model: nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[list[dict[str, Any]], dict[str, Tensor]]:
    """Put network and optimiser into the state of a checkpoint.

    Args:
        path: The checkpoint.
        run: What identifies the run that goes on.
        model: The network, changed in place.
        optimiser: Its optimiser, changed in place.

    Returns:
        The fields of the epochs so far, and the weights of the best one.

    Raises:
        ValueError: If the file is no checkpoint, or one of another run.
    """
    try:
        with safe_open(path, "pt") as file:
            state = json.loads(file.metadata()["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a readable checkpoint: {error}") from error
    if state["run"] != run:
        raise ValueError(
            f"{path} is the checkpoint of a run with other settings or recordings; "
            "remove it or choose another folder"
        )
    try:
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(tensors[f"model.{name}"])
                for key in optimiser.state[parameter]:
                    optimiser.state[parameter][key] = tensors[f"optimiser.{name}.{key}"]
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"{path} does not fit the network: {error}") from error
    prefix = "best."
    best = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
    return state["records"], best
