"""The hybrid network over many steps is what it is step by step, reset where episodes start."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym_agents.deep.networks import (
    HybridNetwork,
    draw_actions,
    entropies,
    mask_logits,
    reset_hidden,
)


@settings(max_examples=examples(25), deadline=None)
@given(seed=st.integers(0, 2**31), network=st.sampled_from(["hybrid", "mlp", "lstm"]))
def test_outputs_of_many_steps_equal_those_of_single_steps(seed: int, network: str) -> None:
    torch.manual_seed(seed)
    net = HybridNetwork(4, 3, network=network, memory_size=5, hidden_sizes=(6,))
    inputs = torch.randn(9, 7, 4)
    starting = torch.rand(9, 7) < 0.15
    hidden = net.initial_hidden(7)
    singles = []
    for step in range(9):
        outputs, hidden = net.step(inputs[step], reset_hidden(hidden, starting[step]))
        singles.append(outputs)
    many, last = net(inputs, None, starting)
    torch.testing.assert_close(many, torch.stack(singles), rtol=1e-5, atol=1e-6)
    if hidden is not None:
        torch.testing.assert_close(last, hidden)


def test_an_episode_does_not_see_the_one_before() -> None:
    net = HybridNetwork(2, 1, memory_size=4)
    inputs = torch.randn(6, 1, 2)
    starting = torch.tensor([True, False, False, True, False, False])[:, None]
    outputs, _ = net(inputs, None, starting)
    inputs[:3] += 10.0
    changed, _ = net(inputs, None, starting)
    torch.testing.assert_close(outputs[3:], changed[3:], rtol=0, atol=0)
    assert not torch.allclose(outputs[:3], changed[:3])


def test_the_hidden_state_carries_over_rollouts() -> None:
    net = HybridNetwork(2, 1, memory_size=4)
    inputs = torch.randn(8, 3, 2)
    whole, _ = net(inputs)
    first, hidden = net(inputs[:5])
    second, _ = net(inputs[5:], hidden)
    torch.testing.assert_close(whole, torch.cat([first, second]))


@pytest.mark.parametrize(
    ("network", "parameters"),
    # LSTM: 4 gates of 5 units with 4 inputs, 5 recurrent weights and two biases.
    [("hybrid", 4 * 5 * 11 + 36 + 21), ("mlp", 30 + 21), ("lstm", 4 * 5 * 11 + 18)],
)
def test_the_ablations_lack_a_part(network: str, parameters: int) -> None:
    net = HybridNetwork(4, 3, network=network, memory_size=5, hidden_sizes=(6,))
    assert sum(weight.numel() for weight in net.parameters()) == parameters


def test_forbidden_plans_are_never_drawn_and_have_no_entropy() -> None:
    mask = torch.tensor([True, False, True])
    logits = mask_logits(torch.zeros(4000, 3), mask)
    drawn = draw_actions(logits, torch.Generator().manual_seed(0))
    assert set(drawn.tolist()) == {0, 2}
    torch.testing.assert_close(entropies(logits[0].log_softmax(-1)), torch.tensor(math.log(2.0)))


def test_actions_are_drawn_with_the_probabilities_of_the_softmax() -> None:
    probabilities = torch.tensor([0.1, 0.2, 0.7])
    logits = probabilities.log().expand(100_000, 3) + 5.0
    drawn = draw_actions(logits, torch.Generator().manual_seed(0))
    shares = np.bincount(drawn.numpy(), minlength=3) / len(drawn)
    # Five standard errors of a share are below 0.008.
    np.testing.assert_allclose(shares, probabilities, atol=0.008)
