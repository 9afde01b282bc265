"""The hybrid network of LSTM and fully connected layers (Fang et al. 2022), and its ablations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

# Hidden state and cell state of the LSTM, (N, units) each; None without one.
HiddenState = tuple[Tensor, Tensor] | None

# One step of a network: outputs and hidden state from inputs and the hidden state before.
Step = Callable[[Tensor, HiddenState], tuple[Tensor, HiddenState]]

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
        memory: The LSTM, or None. Saved agents hold its weights under this name.
        layers: The fully connected layers and the output.
        activation: Name of the function after each fully connected layer.
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
        self.activation = activation
        module, self._activation = _ACTIVATIONS[activation]
        modules: list[nn.Module] = []
        for size in () if network == "lstm" else hidden_sizes:
            modules += [_linear(width, size, math.sqrt(2.0)), module()]
            width = size
        self.layers = nn.Sequential(*modules, _linear(width, outputs, output_gain))

    def initial_hidden(self, count: int) -> HiddenState:
        """Return the hidden state of ``count`` environments at the start of an episode: zeros."""
        if self.memory is None:
            return None
        return (
            torch.zeros(count, self.memory.hidden_size),
            torch.zeros(count, self.memory.hidden_size),
        )

    def forward(
        self, inputs: Tensor, hidden: HiddenState = None, starting: Tensor | None = None
    ) -> tuple[Tensor, HiddenState]:
        """Return the outputs of T steps in a row.

        The LSTM runs at once over all steps between two starts of episodes.

        Args:
            inputs: (T, N, I).
            hidden: Before the first step; None for that of a start.
            starting: (T, N) of bool: whether an episode starts with the step, which resets the
                hidden state first; None for nowhere.

        Returns:
            Outputs (T, N, O), and the hidden state after the last step.
        """
        if self.memory is None:
            return self.layers(inputs), None
        if hidden is None:
            hidden = self.initial_hidden(inputs.shape[1])
        parts = []
        for first, last in _segments(starting, len(inputs)):
            if starting is not None and bool(starting[first].any()):
                hidden = reset_hidden(hidden, starting[first])
            assert hidden is not None
            states, (h, c) = self.memory(inputs[first:last], (hidden[0][None], hidden[1][None]))
            hidden = (h[0], c[0])
            parts.append(states)
        return self.layers(parts[0] if len(parts) == 1 else torch.cat(parts)), hidden

    def step(self, inputs: Tensor, hidden: HiddenState) -> tuple[Tensor, HiddenState]:
        """Return the outputs of one step without gradients; see ``stepper`` for many steps.

        Args:
            inputs: (N, I).
            hidden: After the step before, with zeros where an episode starts.

        Returns:
            Outputs (N, O), and the hidden state after the step.
        """
        return self.stepper()(inputs, hidden)

    def stepper(self) -> Step:
        """Return ``step`` for as long as the weights stay as they are: what acting needs.

        The weights are taken out of their modules once, since with small batches looking them up
        and calling modules takes as long as computing with them.
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
        *inner_maps, (output_weight, output_bias) = maps
        activation = self._activation

        def step(inputs: Tensor, hidden: HiddenState) -> tuple[Tensor, HiddenState]:
            features = inputs
            if cell:
                assert hidden is not None
                hidden = torch.lstm_cell(inputs, hidden, *cell)
                features = hidden[0]
            for weight, bias in inner_maps:
                features = activation(linear(features, weight, bias))
            return linear(features, output_weight, output_bias), hidden

        return step


def reset_hidden(hidden: HiddenState, starting: Tensor) -> HiddenState:
    """Return the hidden state with zeros where an episode starts; ``starting`` is (N,) of bool."""
    if hidden is None:
        return None
    kept = (~starting)[:, None].to(hidden[0].dtype)
    return hidden[0] * kept, hidden[1] * kept


def mask_logits(logits: Tensor, mask: Tensor) -> Tensor:
    """Return logits (..., actions) that never choose where ``mask`` (actions,) is False."""
    return logits.masked_fill(~mask, _NEVER)


def gumbel_noise(shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Draw standard Gumbel noise: added to logits, it is largest where the softmax would draw."""
    return -torch.empty(*shape).exponential_(generator=generator).log()


def draw_actions(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Draw an action from each row of logits (N, actions): (N,), by the Gumbel-max trick."""
    return (logits + gumbel_noise(logits.shape, generator)).argmax(-1)


def entropies(log_probabilities: Tensor) -> Tensor:
    """Return the entropy, in nats, of distributions given by their logs (..., actions): (...)."""
    return -(log_probabilities.exp() * log_probabilities).sum(-1)


def _linear(inputs: int, outputs: int, gain: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


def _segments(starting: Tensor | None, steps: int) -> Iterator[tuple[int, int]]:
    """Yield first step and step after the last of each run of steps without a start inside."""
    firsts = [0]
    if starting is not None:
        firsts += [int(step) for step in starting.any(-1).nonzero().flatten() if step > 0]
    yield from zip(firsts, [*firsts[1:], steps], strict=True)
