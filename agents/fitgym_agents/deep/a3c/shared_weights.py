"""Shared weights and optimiser of A3C, in memory that several processes see."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn

_OPTIMISERS: dict[str, Any] = {
    # One operation for all weights, rather than a dozen for each.
    "adam": partial(torch.optim.Adam, fused=True),
    "rmsprop": torch.optim.RMSprop,
}


class SharedWeights:
    """Weights that several workers compute gradients for, and torch's optimiser of them.

    Attributes:
        networks: By name what has weights.
        optimiser: Of all these weights. Its state is there from the start: torch makes it in the
            first step, and workers who each did that would not share it.
    """

    def __init__(self, networks: Mapping[str, nn.Module], optimiser: str) -> None:
        """Make an optimiser of networks.

        Args:
            networks: By name what has weights; these weights, not copies.
            optimiser: ``adam`` or ``rmsprop``.
        """
        self.networks = nn.ModuleDict(networks)
        self.optimiser: torch.optim.Optimizer = _OPTIMISERS[optimiser](self.networks.parameters())
        for weights in self.networks.parameters():
            weights.grad = torch.zeros_like(weights)
        self.optimiser.step()
        self.optimiser.zero_grad()
        for state in self._states():
            for value in state.values():
                value.zero_()

    def copied(self) -> Self:
        """Return a copy of weights and optimiser."""
        return copy.deepcopy(self)

    def share_memory(self) -> None:
        """Move everything to where processes that are started with it see the same."""
        self.networks.share_memory()
        for state in self._states():
            for value in state.values():
                value.share_memory_()  # type: ignore[no-untyped-call]

    def assign(self, other: SharedWeights) -> None:
        """Copy weights and the optimiser's state from ``other``."""
        copy_weights(other.networks, self.networks)
        for own, new in zip(self._states(), other._states(), strict=True):
            for name, value in own.items():
                value.copy_(new[name])

    def step(self, source: nn.Module, learning_rate: float) -> None:
        """Step with the gradients of ``source``, a copy of ``networks``."""
        hand_over(source, self.networks)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        self.optimiser.step()

    def _states(self) -> list[dict[str, Tensor]]:
        """Return the optimiser's state of each weight, in the weights' order."""
        return [self.optimiser.state[weights] for weights in self.networks.parameters()]


def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Copy the weights of ``source`` to those of ``target``."""
    with torch.no_grad():
        for new, old in zip(source.parameters(), target.parameters(), strict=True):
            old.copy_(new)


def hand_over(source: nn.Module, target: nn.Module) -> None:
    """Make the gradients of ``source`` those of ``target``.

    They are set anew every time: torch's ``zero_grad`` lets go of the tensors, so that gradients
    shared once and for all would be those of the first rollout for ever.
    """
    for own, shared in zip(source.parameters(), target.parameters(), strict=True):
        shared.grad = own.grad
