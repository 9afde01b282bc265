"""Weights and optimiser state of torch as arrays for a file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn


def module_arrays(module: nn.Module, prefix: str) -> dict[str, NDArray[Any]]:
    """Return the weights of a module, named ``prefix.name``."""
    return {
        f"{prefix}.{name}": value.detach().cpu().numpy()
        for name, value in module.state_dict().items()
    }


def restore_module(module: nn.Module, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Take back what ``module_arrays`` gave, without its prefix.

    Raises:
        RuntimeError: If names or shapes are not those of the module.
    """
    module.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})


def optimiser_arrays(optimiser: torch.optim.Optimizer, prefix: str) -> dict[str, NDArray[Any]]:
    """Return an optimiser's state, named ``prefix.index of the weights.name``; none at first."""
    return {
        f"{prefix}.{index}.{name}": torch.as_tensor(value).cpu().numpy()
        for index, state in optimiser.state_dict()["state"].items()
        for name, value in state.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Take back what ``optimiser_arrays`` gave, without its prefix.

    Raises:
        ValueError: If a name or a shape does not belong to the optimiser's weights, or some
            weights lack what others have.
    """
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    content = optimiser.state_dict()
    content["state"] = {}
    for name, array in arrays.items():
        index, _, key = name.partition(".")
        if not index.isdecimal() or int(index) >= len(weights):
            raise ValueError(f"the optimiser has no state {name!r}")
        shape = weights[int(index)].shape
        # A moment has the shape of its weights, and the count of steps is a single number.
        if array.shape not in ((), shape):
            raise ValueError(f"{name} of the optimiser must be {shape}, got {array.shape}")
        content["state"].setdefault(int(index), {})[key] = torch.tensor(array)
    if len({frozenset(state) for state in content["state"].values()}) > 1:
        raise ValueError("the optimiser's state of some weights is incomplete")
    if arrays:
        optimiser.load_state_dict(content)
