"""Replays of a network that keep what entered and left each of its linear maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fitgym_agents.deep.networks import HybridNetwork, Memory

__all__ = ["LinearMap", "replay", "unroll"]


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A linear map ``s = W a`` of a network, and what went through it in a replay.

    Attributes:
        weights: What makes up the columns of W, (O, I): matrices, and a bias as the last one.
        inputs: a, (M, I), of all people and days, with 1 for the bias.
        outputs: s, of M elements of O, in the graph of the replay.
    """

    weights: tuple[Tensor, ...]
    inputs: Tensor
    outputs: Tensor

    def gradient(self, output_gradients: Tensor) -> Tensor:
        """Return the gradient with respect to W, (O, I), given that with respect to s."""
        return output_gradients.reshape(len(self.inputs), -1).T @ self.inputs

    def add(self, step: Tensor) -> None:
        """Add to W, (O, I), which the graph of the replay does not survive."""
        widths = [weight.numel() // len(weight) for weight in self.weights]
        with torch.no_grad():
            for weight, columns in zip(self.weights, torch.split(step, widths, 1), strict=True):
                weight.add_(columns.reshape(weight.shape))


def replay(
    network: HybridNetwork, inputs: Tensor, memory: Memory = None, starting: Tensor | None = None
) -> tuple[Tensor, list[LinearMap], Memory]:
    """Return what ``network(inputs, memory, starting)`` returns, and the maps on the way.

    The second bias of ``nn.LSTM`` only ever adds to the first, and is no weight of any map.

    Args:
        network: The network.
        inputs: (T, N, I).
        memory: Before the first day; None for that of a start.
        starting: (T, N) of bool: whether an episode starts on the day; None for nowhere.

    Returns:
        Outputs (T, N, O), the maps from first to last, and the memory after the last day.
    """
    maps: list[LinearMap] = []
    if network.memory is not None:
        lstm: Any = network.memory
        bias = lstm.bias_ih_l0
        drive = functional.linear(inputs, lstm.weight_ih_l0, bias + lstm.bias_hh_l0)
        if memory is None:
            memory = network.initial_memory(inputs.shape[1])
        assert memory is not None
        before, hidden, memory = unroll(drive, lstm.weight_hh_l0, memory, starting)
        # The gradient with respect to the gates is that with respect to what drives them.
        maps.append(
            LinearMap(
                (lstm.weight_ih_l0, lstm.weight_hh_l0, bias),
                _with_one(torch.cat([inputs, before], -1)),
                drive,
            )
        )
        inputs = hidden
    for layer in network.layers:
        outputs = layer(inputs)
        if isinstance(layer, nn.Linear):
            maps.append(LinearMap((layer.weight, layer.bias), _with_one(inputs), outputs))
        inputs = outputs
    return inputs, maps, memory


def unroll(
    drive: Tensor, recurrent: Tensor, memory: tuple[Tensor, Tensor], starting: Tensor | None = None
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """Run an LSTM day by day, as ``nn.LSTM`` does behind closed doors.

    Args:
        drive: What inputs and biases add to the gates, (T, N, 4 units), in torch's order of
            input, forget, cell and output.
        recurrent: Weights from hidden state to gates, (4 units, units).
        memory: Hidden state and cell state before the first day, (N, units) each.
        starting: (T, N) of bool: where the memory is forgotten first; None for nowhere.

    Returns:
        The hidden states that went into each day's gates and those that came out of it,
        (T, N, units) each, and the memory after the last day.
    """
    hidden, cell = memory
    forgetting = [False] * len(drive) if starting is None else starting.any(-1).tolist()
    before, after = [], []
    for day, inflow in enumerate(drive.unbind()):
        if forgetting[day]:
            assert starting is not None
            kept = (~starting[day])[:, None].to(hidden.dtype)
            hidden, cell = hidden * kept, cell * kept
        before.append(hidden)
        gates = torch.addmm(inflow, hidden, recurrent.T)
        enter, keep, candidate, leave = gates.chunk(4, -1)
        cell = keep.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
        hidden = leave.sigmoid() * cell.tanh()
        after.append(hidden)
    return torch.stack(before), torch.stack(after), (hidden.detach(), cell.detach())


def _with_one(inputs: Tensor) -> Tensor:
    """Return inputs (..., I) without gradients, as (M, I + 1), with 1 for the bias."""
    flat = inputs.detach().flatten(0, -2)
    return torch.cat([flat, torch.ones(len(flat), 1)], -1)
