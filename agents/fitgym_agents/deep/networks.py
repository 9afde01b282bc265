"""The paper's hybrid network and its ablations (Fang et al. 2022), and acting by its outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

__all__ = [
    "HybridNetwork",
    "Memory",
    "Step",
    "draw_actions",
    "entropies",
    "forbid",
    "forget",
    "gumbel_noise",
]

# Hidden state and cell state of the LSTM, (N, units) each; None without one.
Memory = tuple[Tensor, Tensor] | None

# Acting: outputs and memory after a day, from inputs and memory before it.
Step = Callable[[Tensor, Memory], tuple[Tensor, Memory]]

_ACTIVATIONS: dict[str, tuple[type[nn.Module], Callable[[Tensor], Tensor]]] = {
    "relu": (nn.ReLU, torch.relu),
    "tanh": (nn.Tanh, torch.tanh),
    "sigmoid": (nn.Sigmoid, torch.sigmoid),
}

# Far below any output of a network, yet finite, so that entropies of it are numbers.
_NEVER = -1e9


class HybridNetwork(nn.Module):
    """One LSTM layer, then fully connected layers, then a linear output.

    Attributes:
        memory: The LSTM, or None.
        layers: The fully connected layers and the output.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        network: str = "hybrid",
        memory_size: int = 64,
        hidden_sizes: Sequence[int] = (64, 64),
        activation: str = "tanh",
        output_gain: float = 1.0,
    ) -> None:
        """Make an untrained network with torch's global generator.

        Args:
            inputs: Numbers observed, I.
            outputs: O: one for each action, or 1 for a value.
            network: ``hybrid``, ``mlp`` (no LSTM) or ``lstm`` (no fully connected layers between
                LSTM and output).
            memory_size: Units of the LSTM.
            hidden_sizes: Units of the fully connected layers.
            activation: ``relu``, ``tanh`` or ``sigmoid``.
            output_gain: Scale of the output's first weights; small for a policy, so that it
                starts out near to uniform.
        """
        super().__init__()
        width = inputs
        self.memory: nn.LSTM | None = None
        if network != "mlp":
            self.memory = nn.LSTM(inputs, memory_size)
            width = memory_size
            for name, weights in self.memory.named_parameters():
                if name.startswith("weight"):
                    nn.init.orthogonal_(weights)
                else:
                    nn.init.zeros_(weights)
        module, self._activation = _ACTIVATIONS[activation]
        modules: list[nn.Module] = []
        for size in () if network == "lstm" else hidden_sizes:
            modules += [_linear(width, size, math.sqrt(2.0)), module()]
            width = size
        self.layers = nn.Sequential(*modules, _linear(width, outputs, output_gain))

    def initial_memory(self, count: int) -> Memory:
        """Return the memory of ``count`` people at the start of an episode: zeros."""
        if self.memory is None:
            return None
        return (
            torch.zeros(count, self.memory.hidden_size),
            torch.zeros(count, self.memory.hidden_size),
        )

    def forward(
        self, inputs: Tensor, memory: Memory = None, starting: Tensor | None = None
    ) -> tuple[Tensor, Memory]:
        """Return the outputs of T days in a row.

        The LSTM runs over as many days at once as no episode starts in between.

        Args:
            inputs: (T, N, I).
            memory: Before the first day; None for that of a start.
            starting: (T, N) of bool: whether an episode starts on the day, which forgets all
                before it; None for nowhere.

        Returns:
            Outputs (T, N, O), and the memory after the last day.
        """
        if self.memory is None:
            return self.layers(inputs), None
        if memory is None:
            memory = self.initial_memory(inputs.shape[1])
        parts = []
        for first, last in _stretches(starting, len(inputs)):
            if starting is not None and bool(starting[first].any()):
                memory = forget(memory, starting[first])
            assert memory is not None
            hidden, (h, c) = self.memory(inputs[first:last], (memory[0][None], memory[1][None]))
            memory = (h[0], c[0])
            parts.append(hidden)
        return self.layers(parts[0] if len(parts) == 1 else torch.cat(parts)), memory

    def step(self, inputs: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """Return the outputs of one day without gradients; see ``stepper`` for many days.

        Args:
            inputs: (N, I).
            memory: Of the day before, with zeros where an episode starts.

        Returns:
            Outputs (N, O), and the memory after the day.
        """
        return self.stepper()(inputs, memory)

    def stepper(self) -> Step:
        """Return ``step`` for as long as the weights stay as they are: what acting needs.

        The weights are taken out of their modules once, since with few people at a time looking
        them up and calling modules takes as long as computing with them.
        """
        linear = nn.functional.linear
        maps = [
            (module.weight.detach(), module.bias.detach())
            for module in self.layers
            if isinstance(module, nn.Linear)
        ]
        cell: list[Any] = []
        if self.memory is not None:
            cell = [weights.detach() for weights in self.memory.all_weights[0]]
        *hidden_maps, (output_weight, output_bias) = maps
        activation = self._activation

        def step(inputs: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
            hidden = inputs
            if cell:
                assert memory is not None
                memory = torch.lstm_cell(inputs, memory, *cell)
                hidden = memory[0]
            for weight, bias in hidden_maps:
                hidden = activation(linear(hidden, weight, bias))
            return linear(hidden, output_weight, output_bias), memory

        return step


def forget(memory: Memory, starting: Tensor) -> Memory:
    """Return the memory with zeros where an episode starts; ``starting`` is (N,) of bool."""
    if memory is None:
        return None
    kept = (~starting)[:, None].to(memory[0].dtype)
    return memory[0] * kept, memory[1] * kept


def forbid(logits: Tensor, mask: Tensor) -> Tensor:
    """Return logits (..., actions) that never choose where ``mask`` (actions,) is False."""
    return logits.masked_fill(~mask, _NEVER)


def gumbel_noise(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Draw standard Gumbel noise: added to logits, it is largest where the softmax would draw."""
    return -torch.empty(*shape).exponential_(generator=generator).log()


def draw_actions(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Draw an action from each row of logits (N, actions): (N,), by the Gumbel-max trick."""
    return (logits + gumbel_noise(logits.shape, generator)).argmax(-1)


def entropies(logits: Tensor) -> Tensor:
    """Return the entropy of the softmax of logits (..., actions), in nats: (...)."""
    logs = torch.log_softmax(logits, -1)
    return -(logs.exp() * logs).sum(-1)


def _linear(inputs: int, outputs: int, gain: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


def _stretches(starting: Tensor | None, days: int) -> Iterator[tuple[int, int]]:
    """Yield first day and day after the last of each stretch with starts on its first day only."""
    firsts = [0]
    if starting is not None:
        firsts += [int(day) for day in starting.any(-1).nonzero().flatten() if day > 0]
    yield from zip(firsts, [*firsts[1:], days], strict=True)
