from __future__ import annotations

import numpy as np
import pytest

from fitgym_agents.online.agent import clip_probabilities, draw_actions


def test_two_actions_are_clipped_as_usual() -> None:
    wanted = np.array([[1.0, 0.0], [0.95, 0.05], [0.7, 0.3], [0.04, 0.96]])
    clipped = clip_probabilities(wanted, np.ones(2, dtype=np.bool_))
    np.testing.assert_allclose(clipped[:, 0], [0.9, 0.9, 0.7, 0.1])


def test_clipped_probabilities_are_the_scaled_ones_or_the_floor() -> None:
    generator = np.random.default_rng(0)
    allowed = np.ones(11, dtype=np.bool_)
    allowed[[3, 10]] = False
    wanted = generator.dirichlet(np.full(11, 0.2), 200) * allowed
    wanted /= wanted.sum(axis=1, keepdims=True)
    clipped = clip_probabilities(wanted, allowed)
    floor = 0.2 / 9
    for before, after in zip(wanted, clipped, strict=True):
        # The one factor at which the row adds up, by halving.
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = 0.5 * (low + high)
            total = np.maximum(middle * before[allowed], floor).sum()
            low, high = (middle, high) if total < 1.0 else (low, middle)
        np.testing.assert_allclose(after[allowed], np.maximum(low * before[allowed], floor))
    assert (clipped[:, ~allowed] == 0.0).all()
    np.testing.assert_allclose(clipped.sum(axis=1), 1.0)


def test_without_exploration_nothing_changes() -> None:
    wanted = np.random.default_rng(1).dirichlet(np.ones(11), 50)
    allowed = np.ones(11, dtype=np.bool_)
    np.testing.assert_allclose(clip_probabilities(wanted, allowed, 0.0), wanted)


@pytest.mark.parametrize(
    "wanted", [[[0.5, 0.6]], [[-0.1, 1.1]], [[np.nan, 1.0]], [[1.0, 0.0, 0.0]]]
)
def test_what_is_no_distribution_is_refused(wanted: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="wanted must"):
        clip_probabilities(np.array(wanted), np.ones(2, dtype=np.bool_))


def test_a_forbidden_action_may_not_be_wanted() -> None:
    with pytest.raises(ValueError, match="not allowed"):
        clip_probabilities(np.array([[0.5, 0.5]]), np.array([True, False]))


def test_actions_are_drawn_with_their_probabilities() -> None:
    probabilities = np.array([0.0, 0.05, 0.6, 0.35])
    drawn = draw_actions(np.tile(probabilities, (40_000, 1)), np.random.default_rng(2))
    shares = np.bincount(drawn, minlength=4) / drawn.size
    assert shares[0] == 0.0
    np.testing.assert_allclose(shares, probabilities, atol=0.01)
