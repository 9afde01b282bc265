"""Acting and the LSTM of a rollout as compiled loops: no Python between one step and the next.

With the small batches of A3C the calls of Python and torch cost more than the arithmetic. Weights
are torch's and so are the gradients' sums; everything that repeats step by step stands here. The
results equal torch's but for rounding.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitgym.common.compilation import compiled, compiled_allocating
from fitgym.envs.context import complete
from fitgym.envs.kernel import Batch, observe_batch, step_batch

RELU, TANH, SIGMOID = range(3)

_ONE = np.float32(1.0)
_HALF = np.float32(0.5)
_ZERO = np.float32(0.0)

# tanh as a ratio of polynomials, within 3e-7 everywhere: that of Eigen and XLA, which, unlike the
# C library's, is computed for many numbers at once.
_TANH_LIMIT = np.float32(7.90531110763549805)
_P13 = np.float32(-2.76076847742355e-16)
_P11 = np.float32(2.00018790482477e-13)
_P9 = np.float32(-8.60467152213735e-11)
_P7 = np.float32(5.12229709037114e-08)
_P5 = np.float32(1.48572235717979e-05)
_P3 = np.float32(6.37261928875436e-04)
_P1 = np.float32(4.89352455891786e-03)
_Q6 = np.float32(1.19825839466702e-06)
_Q4 = np.float32(1.18534705686654e-04)
_Q2 = np.float32(2.26843463243900e-03)
_Q0 = np.float32(4.89352518554385e-03)


class Policy(NamedTuple):
    """Weights of a network that acts; float32.

    Attributes:
        cell: Of its LSTM, see ``run_lstm``; of no units where it has none.
        weights: (in, out) of each fully connected layer, the output last.
        biases: (out,) of each.
        activation: ``RELU``, ``TANH`` or ``SIGMOID``, after all but the last.
    """

    cell: NDArray[np.float32]
    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    activation: int


class Memory(NamedTuple):
    """What an LSTM with H units did in T steps of N environments; float32.

    Attributes:
        inputs: (T + 1, N, I + H + 1) what each step multiplies with its weights: what is observed,
            the hidden state before the step, and 1. The last holds the hidden state after all.
        gates: (T, N, 4 H) after their activations, in torch's order i, f, g, o.
        cells: (T + 1, N, H) cell states, that before the first step first.
        hidden: (T, N, H) hidden states after each step.
    """

    inputs: NDArray[np.float32]
    gates: NDArray[np.float32]
    cells: NDArray[np.float32]
    hidden: NDArray[np.float32]

    @classmethod
    def empty(cls, steps: int, environments: int, observed: int, units: int) -> Memory:
        """Return one to be filled in."""
        inputs = np.ones((steps + 1, environments, observed + units + 1), np.float32)
        gates = np.empty((steps, environments, 4 * units), np.float32)
        cells = np.empty((steps + 1, environments, units), np.float32)
        return cls(inputs, gates, cells, np.empty((steps, environments, units), np.float32))


class Steps(NamedTuple):
    """What T steps of N environments brought, in memory to be filled in.

    Attributes:
        observations: (T + 1, N, I) normalised, float32; the first is given.
        actions: (T, N), int64.
        rewards: (T, N), float64.
        ended: (T, N), bool.
    """

    observations: NDArray[np.float32]
    actions: NDArray[np.int64]
    rewards: NDArray[np.float64]
    ended: NDArray[np.bool_]

    @classmethod
    def empty(cls, steps: int, environments: int, inputs: int) -> Steps:
        """Return one to be filled in."""
        return cls(
            np.empty((steps + 1, environments, inputs), np.float32),
            np.empty((steps, environments), np.int64),
            np.empty((steps, environments)),
            np.empty((steps, environments), np.bool_),
        )

    def part(self, first: int, last: int) -> Steps:
        """Return the steps from ``first`` to before ``last``, in the same memory."""
        return Steps(
            self.observations[first : last + 1],
            self.actions[first:last],
            self.rewards[first:last],
            self.ended[first:last],
        )


@compiled
def _tanh(x: Any) -> Any:
    x = min(max(x, -_TANH_LIMIT), _TANH_LIMIT)
    s = x * x
    p = (((((_P13 * s + _P11) * s + _P9) * s + _P7) * s + _P5) * s + _P3) * s + _P1
    q = ((_Q6 * s + _Q4) * s + _Q2) * s + _Q0
    return x * p / q


@compiled
def _sigmoid(x: Any) -> Any:
    return _HALF * _tanh(_HALF * x) + _HALF


@compiled_allocating
def _lstm_step(weights: Any, memory: Memory, t: int) -> None:
    """Fill in what the LSTM does in step ``t``; see ``run_lstm``."""
    gates = memory.gates[t]
    np.dot(memory.inputs[t], weights, gates)
    units = memory.hidden.shape[2]
    first = memory.inputs.shape[2] - units - 1
    # Loops of few arrays each, since such are computed for many units at once.
    for n in range(gates.shape[0]):
        gate = gates[n]
        before, after = memory.cells[t, n], memory.cells[t + 1, n]
        shown, following = memory.hidden[t, n], memory.inputs[t + 1, n]
        for j in range(gate.size):
            gate[j] = _tanh(gate[j])
        for j in range(2 * units):
            gate[j] = _HALF * gate[j] + _HALF
        for j in range(3 * units, 4 * units):
            gate[j] = _HALF * gate[j] + _HALF
        for j in range(units):
            after[j] = gate[units + j] * before[j] + gate[j] * gate[2 * units + j]
        for j in range(units):
            shown[j] = gate[3 * units + j] * _tanh(after[j])
        for j in range(units):
            following[first + j] = shown[j]


@compiled_allocating
def run_lstm(weights: Any, memory: Memory) -> None:
    """Fill in what an LSTM does in T steps.

    Args:
        weights: (I + H + 1, 4 H) of what is observed, of the hidden state and of 1; half of torch's
            for the gates i, f and o, as their sigmoid is that of a tanh of half.
        memory: What is observed and the states before the first step are given, the rest filled in.
    """
    for t in range(memory.gates.shape[0]):
        _lstm_step(weights, memory, t)


@compiled_allocating
def lstm_gradients(upper: Any, weights: Any, memory: Memory, gradients: Any) -> None:
    """Fill in the gradients of the gates before their activations.

    Args:
        upper: (T, N, H) gradients of the hidden states after each step.
        weights: (4 H, H) hidden weights as torch has them.
        memory: What the LSTM did.
        gradients: (T, N, 4 H), filled in.
    """
    steps, environments, units = upper.shape
    hidden = np.zeros((environments, units), np.float32)
    cells = np.zeros((environments, units), np.float32)
    level, change = np.empty(units, np.float32), np.empty(units, np.float32)
    for t in range(steps - 1, -1, -1):
        for n in range(environments):
            enter, keep = memory.gates[t, n, :units], memory.gates[t, n, units : 2 * units]
            new = memory.gates[t, n, 2 * units : 3 * units]
            show = memory.gates[t, n, 3 * units :]
            before, after = memory.cells[t, n], memory.cells[t + 1, n]
            grown, own, later, cell = gradients[t, n], upper[t, n], hidden[n], cells[n]
            # Loops of few arrays each, as in ``_lstm_step``.
            for j in range(units):
                level[j] = _tanh(after[j])
            for j in range(units):
                later[j] += own[j]
            for j in range(units):
                change[j] = cell[j] + later[j] * show[j] * (_ONE - level[j] * level[j])
            for j in range(units):
                grown[j] = change[j] * new[j] * enter[j] * (_ONE - enter[j])
            for j in range(units):
                grown[units + j] = change[j] * before[j] * keep[j] * (_ONE - keep[j])
            for j in range(units):
                grown[2 * units + j] = change[j] * enter[j] * (_ONE - new[j] * new[j])
            for j in range(units):
                grown[3 * units + j] = later[j] * level[j] * show[j] * (_ONE - show[j])
            for j in range(units):
                cell[j] = change[j] * keep[j]
        np.dot(gradients[t], weights, hidden)


@compiled
def _activate(values: Any, bias: Any, activation: int, last: bool) -> None:
    for n in range(values.shape[0]):
        row = values[n]
        if last:
            for j in range(row.size):
                row[j] += bias[j]
        elif activation == RELU:
            for j in range(row.size):
                row[j] = max(row[j] + bias[j], _ZERO)
        elif activation == TANH:
            for j in range(row.size):
                row[j] = _tanh(row[j] + bias[j])
        else:
            for j in range(row.size):
                row[j] = _sigmoid(row[j] + bias[j])


@compiled_allocating
def act(
    policy: Policy,
    scratch: Any,
    memory: Memory,
    batch: Batch,
    mean: Any,
    deviation: Any,
    limit: float,
    noise: Any,
    steps: Steps,
) -> Any:
    """Act for T steps that lie within an episode: the policy, the environments, what they show.

    Args:
        policy: Its outputs are logits, one for each action.
        scratch: (N, out) of memory for each layer of the policy.
        memory: Of T steps; the states before the first are given, the others filled in.
        batch: The environments; their states and outcomes move on.
        mean: (I,) taken from observations, float64.
        deviation: (I,) by which they are then divided, float64.
        limit: Magnitude at which they are then clipped.
        noise: (T, N, actions), float32, added to the logits: of the sums the largest is chosen.
        steps: Filled in.

    Returns:
        (T, N) motivation after each step, float32.
    """
    count = noise.shape[1]
    shown = np.empty(steps.observations.shape[1:], np.float32)
    plans_trimp = np.empty(count)
    chosen = np.ones(count, np.bool_)
    motivations = np.empty(noise.shape[:2], np.float32)
    for t in range(noise.shape[0]):
        values = steps.observations[t]
        if memory.hidden.shape[2] > 0:
            _lstm_step(policy.cell, memory, t)
            values = memory.hidden[t]
        for layer in range(len(policy.weights)):
            outputs = scratch[layer]
            np.dot(values, policy.weights[layer], outputs)
            last = layer == len(policy.weights) - 1
            _activate(outputs, policy.biases[layer], policy.activation, last)
            values = outputs
        for n in range(count):
            action = np.argmax(values[n] + noise[t, n])
            steps.actions[t, n] = action
            plans_trimp[n] = batch.targets_trimp[action]
        step_batch(
            batch.states,
            batch.outcomes,
            batch.people,
            chosen,
            plans_trimp,
            batch.adherence,
            batch.tables,
            steps.ended[t],
        )
        observe_batch(batch.states, batch.days, batch.observation, shown)
        if batch.person_observed:
            complete(shown, batch.outcomes, batch.contexts)
        for n in range(count):
            steps.rewards[t, n] = batch.outcomes[n].reward
            motivations[t, n] = batch.states[n].motivation
            for column in range(mean.size):
                scaled = (shown[n, column] - mean[column]) / deviation[column]
                scaled = min(max(scaled, -limit), limit)
                steps.observations[t + 1, n, column] = scaled
                memory.inputs[t + 1, n, column] = scaled
    return motivations
