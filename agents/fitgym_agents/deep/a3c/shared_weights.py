"""Shared weights and optimiser of A3C, in memory that several processes see."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fitgym_agents.torch_state import optimiser_arrays, restore_optimiser

_OPTIMISERS: dict[str, Any] = {
    # One operation, rather than a dozen.
    "adam": partial(torch.optim.Adam, fused=True),
    "rmsprop": torch.optim.RMSprop,
}

# Keeps the share that a gradient is clipped by finite, as in torch.
_LEAST_NORM = 1e-6


class FlatWeights:
    """Networks whose weights and gradients are views of one vector each.

    An operation on the vector takes the place of one for each weight.

    Attributes:
        networks: By name what has weights.
        weights: All of them, (W,).
        gradients: Likewise, (W,).
    """

    def __init__(self, networks: nn.ModuleDict) -> None:
        """Move the weights of ``networks`` into a vector of their own."""
        self.networks = networks
        parameters = list(networks.parameters())
        self.weights = torch.cat([weights.detach().flatten() for weights in parameters])
        self.gradients = torch.zeros_like(self.weights)
        sizes = [
            sum(weights.numel() for weights in network.parameters())
            for network in networks.values()
        ]
        self._by_network = self.gradients.split_with_sizes(sizes)
        for weights, own, gradient in zip(
            parameters, self.parts(self.weights), self.parts(self.gradients), strict=True
        ):
            weights.data, weights.grad = own, gradient

    def parts(self, vector: Tensor) -> list[Tensor]:
        """Return views of a vector (W,) in the shapes of the weights, in their order."""
        parameters = list(self.networks.parameters())
        sizes = [weights.numel() for weights in parameters]
        return [
            part.view_as(weights)
            for part, weights in zip(vector.split_with_sizes(sizes), parameters, strict=True)
        ]

    def clip_gradients(self, norm: float) -> None:
        """Scale the gradients of each network to at most this norm."""
        for gradients in self._by_network:
            gradients.mul_((norm / (gradients.norm() + _LEAST_NORM)).clamp(max=1.0))


class SharedWeights:
    """Weights that several workers compute gradients for, and torch's optimiser of them.

    Attributes:
        networks: By name what has weights.
        optimiser: Of all these weights, as one vector. Its state is there from the start: torch
            makes it in the first step, and workers who each did that would not share it.
    """

    def __init__(self, networks: Mapping[str, nn.Module], optimiser: str) -> None:
        """Make an optimiser of networks.

        Args:
            networks: By name what has weights; these weights, not copies.
            optimiser: ``adam`` or ``rmsprop``.
        """
        self.networks = nn.ModuleDict(networks)
        self._kind = optimiser
        self._flat = FlatWeights(self.networks)
        self._vector = nn.Parameter(self._flat.weights)
        self.optimiser: torch.optim.Optimizer = _OPTIMISERS[optimiser]([self._vector])
        self._vector.grad = self._flat.gradients
        self.optimiser.step()
        for value in self._state.values():
            value.zero_()

    def copied(self) -> SharedWeights:
        """Return a copy of weights and optimiser."""
        twin = SharedWeights(dict(copy.deepcopy(self.networks).items()), self._kind)
        twin.assign(self)
        return twin

    def local(self) -> FlatWeights:
        """Return a copy of the weights, for a worker."""
        return FlatWeights(copy.deepcopy(self.networks))

    def share_memory(self) -> None:
        """Move everything to where processes that are started with it see the same."""
        self.networks.share_memory()
        for value in self._state.values():
            value.share_memory_()  # type: ignore[no-untyped-call]

    def assign(self, other: SharedWeights) -> None:
        """Copy weights and the optimiser's state from ``other``."""
        other.copy_to(self._flat)
        for name, value in self._state.items():
            value.copy_(other._state[name])

    def copy_to(self, target: FlatWeights) -> None:
        """Copy the weights to ``target``."""
        target.weights.copy_(self._vector.detach())

    def step(self, gradients: Tensor, learning_rate: float) -> None:
        """Step with the gradients (W,) of a copy."""
        self._vector.grad = gradients
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        self.optimiser.step()

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return the optimiser's state by weights, as ``optimiser_arrays`` does."""
        return optimiser_arrays(self._by_weights(), prefix)

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take back what ``arrays`` gave, without its prefix.

        Raises:
            ValueError: As ``restore_optimiser``.
        """
        found = self._by_weights()
        restore_optimiser(found, arrays)
        states = [found.state[weights] for weights in self.networks.parameters()]
        for name, value in self._state.items():
            # The count of steps is the same for all.
            value.copy_(
                torch.cat([state[name].flatten() for state in states])
                if value.ndim
                else states[0][name]
            )

    @property
    def _state(self) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.optimiser.state[self._vector]
        return state

    def _by_weights(self) -> torch.optim.Optimizer:
        """Return an optimiser of each of the weights with its part of the state."""
        optimiser: torch.optim.Optimizer = _OPTIMISERS[self._kind](self.networks.parameters())
        for name, value in self._state.items():
            parts = self._flat.parts(value) if value.ndim else None
            for index, weights in enumerate(self.networks.parameters()):
                optimiser.state[weights][name] = value if parts is None else parts[index]
        return optimiser
