"""Returns and advantages against cases worked by hand and slow sums."""

from __future__ import annotations

import torch
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym_agents.deep.returns import generalised_advantages, n_step_returns


def test_a_window_worked_by_hand() -> None:
    rewards = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
    ended = torch.tensor([[False], [True], [False], [False]])
    returns = n_step_returns(rewards, ended, torch.tensor([10.0]), 0.5)
    # 4 + 5, 3 + 4.5, 2 (an end), 1 + 1.
    assert returns.flatten().tolist() == [2.0, 2.0, 7.5, 9.0]


@settings(max_examples=examples(25), deadline=None)
@given(
    seed=st.integers(0, 2**31),
    discount=st.floats(0.0, 1.0),
    decay=st.floats(0.0, 1.0),
)
def test_advantages_equal_the_weighted_sum_of_surprises(
    seed: int, discount: float, decay: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    rewards, values = torch.randn(2, 7, 3, generator=generator, dtype=torch.float64)
    bootstrap = torch.randn(3, generator=generator, dtype=torch.float64)
    ended = torch.rand(7, 3, generator=generator) < 0.2
    advantages = generalised_advantages(rewards, ended, values, bootstrap, discount, decay)
    for n in range(3):
        following = [*values[1:, n].tolist(), float(bootstrap[n])]
        for day in range(7):
            total, weight = 0.0, 1.0
            for later in range(day, 7):
                alive = 0.0 if ended[later, n] else 1.0
                surprise = rewards[later, n] + discount * alive * following[later]
                total += weight * float(surprise - values[later, n])
                weight *= discount * decay * alive
            torch.testing.assert_close(float(advantages[day, n]), total, rtol=1e-9, atol=1e-9)


def test_without_decay_advantages_are_returns_less_values() -> None:
    rewards, values = torch.randn(2, 6, 4)
    bootstrap, ended = torch.randn(4), torch.rand(6, 4) < 0.2
    torch.testing.assert_close(
        generalised_advantages(rewards, ended, values, bootstrap, 0.9, 1.0),
        n_step_returns(rewards, ended, bootstrap, 0.9) - values,
    )
