"""The hybrid network over a rollout with the compiled LSTM, as torch's autograd sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fitgym.common.compilation import COMPILES
from fitgym_agents.deep.compiled import (
    RELU,
    SIGMOID,
    TANH,
    Memory,
    Policy,
    lstm_gradients,
    run_lstm,
)
from fitgym_agents.deep.networks import HiddenState, HybridNetwork, reset_hidden

_ACTIVATIONS = {"relu": RELU, "tanh": TANH, "sigmoid": SIGMOID}


def unroll(
    network: HybridNetwork,
    inputs: Tensor,
    hidden: HiddenState,
    starting: Tensor,
    memory: Memory | None = None,
) -> tuple[Tensor, HiddenState]:
    """Return what ``network(inputs, hidden, starting)`` returns, sooner and but for rounding.

    Args:
        network: Its inputs get no gradients.
        inputs: (T, N, I).
        hidden: Before the first step; None for that of a start.
        starting: (T, N) of bool: whether an episode starts with the step.
        memory: What the network's LSTM did when it acted in these steps; None to let it run.
    """
    lstm = network.memory
    if lstm is None or not COMPILES or bool(starting[1:].any()):
        outputs: tuple[Tensor, HiddenState] = network(inputs, hidden, starting)
        return outputs
    if memory is None:
        hidden = reset_hidden(hidden, starting[0])
        if hidden is None:
            hidden = network.initial_hidden(inputs.shape[1])
        memory = started_memory(hidden, len(inputs), inputs[0])
        memory.inputs[:-1, :, : inputs.shape[2]] = inputs.numpy()
        run_lstm(_cell_of(lstm), memory)
    states = _Unrolled.apply(memory, *lstm.all_weights[0])  # type: ignore[no-untyped-call]
    return network.layers(states), last_states(memory)


def started_memory(hidden: HiddenState, steps: int, observations: Tensor) -> Memory:
    """Return memory for some steps with what the first one starts from.

    Args:
        hidden: Before the first step; None for a network without an LSTM.
        steps: T.
        observations: Before the first step, (N, I).
    """
    units = 0 if hidden is None else hidden[0].shape[1]
    count, width = observations.shape
    memory = Memory.empty(steps, count, width, units)
    memory.inputs[0, :, :width] = observations.numpy()
    if hidden is not None:
        memory.inputs[0, :, width:-1], memory.cells[0] = (state.numpy() for state in hidden)
    return memory


def last_states(memory: Memory) -> HiddenState:
    """Return hidden state and cell state after the last step."""
    return torch.from_numpy(memory.hidden[-1]), torch.from_numpy(memory.cells[-1])


def policy_of(network: HybridNetwork) -> Policy:
    """Return the weights of a network, as compiled functions take them."""
    linear = [module for module in network.layers if isinstance(module, nn.Linear)]
    lstm = network.memory
    return Policy(
        cell=np.zeros((0, 0), np.float32) if lstm is None else _cell_of(lstm),
        weights=tuple(_transposed(layer.weight.detach().numpy()) for layer in linear),
        biases=tuple(layer.bias.detach().numpy() for layer in linear),
        activation=_ACTIVATIONS[network.activation],
    )


def _cell_of(lstm: nn.LSTM) -> NDArray[np.float32]:
    """Return the weights of an LSTM, as ``run_lstm`` takes them."""
    inputs, hidden, *biases = (weights.detach() for weights in lstm.all_weights[0])
    cell = torch.cat([inputs, hidden, (biases[0] + biases[1])[:, None]], 1).T.contiguous()
    units = lstm.hidden_size
    cell[:, : 2 * units] *= 0.5
    cell[:, 3 * units :] *= 0.5
    return cell.numpy()


def _transposed(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(weights.T)


class _Unrolled(torch.autograd.Function):
    """The hidden states of an LSTM that has run already, and the gradients of its weights."""

    @staticmethod
    def forward(context: Any, memory: Memory, *weights: Tensor) -> Tensor:
        context.save_for_backward(weights[1])
        context.memory = memory
        return torch.from_numpy(memory.hidden)

    @staticmethod
    def backward(context: Any, upper: Tensor) -> tuple[Tensor | None, ...]:
        (hidden_weights,) = context.saved_tensors
        memory: Memory = context.memory
        gradients = np.empty_like(memory.gates)
        lstm_gradients(
            upper.contiguous().numpy(), hidden_weights.detach().numpy(), memory, gradients
        )
        inputs = torch.from_numpy(memory.inputs[:-1]).flatten(0, 1)
        grown = torch.from_numpy(gradients).flatten(0, 1).T @ inputs
        units = hidden_weights.shape[1]
        observed, hidden, bias = grown[:, : -units - 1], grown[:, -units - 1 : -1], grown[:, -1]
        return None, observed, hidden, bias, bias
