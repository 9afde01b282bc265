"""Unrolled passes of a network, which keep what entered and left each of its linear maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fitgym_agents.deep.networks import HiddenState, HybridNetwork


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A linear map ``s = W a`` of a network, and what went through it in an unrolled pass.

    Attributes:
        weights: What makes up the columns of W, (O, I): matrices, and a bias as the last one.
        inputs: a, (M, I), of all environments and steps, with 1 for the bias.
        outputs: s, of M elements of O, in the graph of the pass.
    """

    weights: tuple[Tensor, ...]
    inputs: Tensor
    outputs: Tensor

    def gradient(self, output_gradients: Tensor) -> Tensor:
        """Return the gradient with respect to W, (O, I), given that with respect to s."""
        return output_gradients.reshape(len(self.inputs), -1).T @ self.inputs

    def add(self, step: Tensor) -> None:
        """Add to W, (O, I), which the graph of the pass does not survive."""
        widths = [weight.numel() // len(weight) for weight in self.weights]
        with torch.no_grad():
            for weight, columns in zip(self.weights, torch.split(step, widths, 1), strict=True):
                weight.add_(columns.reshape(weight.shape))


def unrolled_pass(
    network: HybridNetwork,
    inputs: Tensor,
    hidden: HiddenState = None,
    starting: Tensor | None = None,
) -> tuple[Tensor, list[LinearMap], HiddenState]:
    """Return what ``network(inputs, hidden, starting)`` returns, and the maps on the way.

    The second bias of ``nn.LSTM`` only ever adds to the first, and is no weight of any map.

    Args:
        network: The network.
        inputs: (T, N, I).
        hidden: Before the first step; None for that of a start.
        starting: (T, N) of bool: whether an episode starts with the step; None for nowhere.

    Returns:
        Outputs (T, N, O), the maps from first to last, and the hidden state after the last step.
    """
    maps: list[LinearMap] = []
    if network.memory is not None:
        lstm: Any = network.memory
        bias = lstm.bias_ih_l0
        drive = functional.linear(inputs, lstm.weight_ih_l0, bias + lstm.bias_hh_l0)
        if hidden is None:
            hidden = network.initial_hidden(inputs.shape[1])
        assert hidden is not None
        before, states, hidden = unroll(drive, lstm.weight_hh_l0, hidden, starting)
        # The gradient with respect to the gates is that with respect to what drives them.
        maps.append(
            LinearMap(
                (lstm.weight_ih_l0, lstm.weight_hh_l0, bias),
                _with_one(torch.cat([inputs, before], -1)),
                drive,
            )
        )
        inputs = states
    for layer in network.layers:
        outputs = layer(inputs)
        if isinstance(layer, nn.Linear):
            maps.append(LinearMap((layer.weight, layer.bias), _with_one(inputs), outputs))
        inputs = outputs
    return inputs, maps, hidden


def unroll(
    drive: Tensor, recurrent: Tensor, hidden: tuple[Tensor, Tensor], starting: Tensor | None = None
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """Run an LSTM step by step, with the same result as ``nn.LSTM``.

    Args:
        drive: What inputs and biases add to the gates, (T, N, 4 units), in torch's order of
            input, forget, cell and output.
        recurrent: Weights from hidden state to gates, (4 units, units).
        hidden: Hidden state and cell state before the first step, (N, units) each.
        starting: (T, N) of bool: where they are reset to zero first; None for nowhere.

    Returns:
        The hidden states that went into each step's gates and those that came out of it,
        (T, N, units) each, and hidden state and cell state after the last step.
    """
    state, cell = hidden
    resets = [False] * len(drive) if starting is None else starting.any(-1).tolist()
    before, after = [], []
    for step, inflow in enumerate(drive.unbind()):
        if resets[step]:
            assert starting is not None
            kept = (~starting[step])[:, None].to(state.dtype)
            state, cell = state * kept, cell * kept
        before.append(state)
        gates = torch.addmm(inflow, state, recurrent.T)
        enter, keep, candidate, leave = gates.chunk(4, -1)
        cell = keep.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
        state = leave.sigmoid() * cell.tanh()
        after.append(state)
    return torch.stack(before), torch.stack(after), (state.detach(), cell.detach())


def _with_one(inputs: Tensor) -> Tensor:
    """Return inputs (..., I) without gradients, as (M, I + 1), with 1 for the bias."""
    flat = inputs.detach().flatten(0, -2)
    return torch.cat([flat, torch.ones(len(flat), 1)], -1)
