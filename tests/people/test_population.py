"""The population: who is drawn, and that the observation space holds everybody."""

import sys

import gymnasium as gym
import numpy as np
import pytest

import fitgym  # noqa: F401
from fitgym.envs.spaces import motivation_bound, stock_bound
from fitgym.people.population import VDOT_BANDS, Population

GENERATOR = np.random.default_rng(3)
PEOPLE = [Population().draw(GENERATOR) for _ in range(300)]


def test_draws_are_reproducible_and_differ():
    first, second = (Population().draw(np.random.default_rng(1)) for _ in range(2))
    assert first == second
    assert len({person.acquisition.fitness_decay for person in PEOPLE}) == len(PEOPLE)


def test_bands_are_drawn_by_their_shares():
    counts = np.array([sum(p.physiology.vdot == band.vdot for p in PEOPLE) for band in VDOT_BANDS])
    shares = np.array([band.share for band in VDOT_BANDS])
    assert shares.sum() == pytest.approx(1.0)
    # Five standard errors of a binomial share.
    assert np.all(np.abs(counts / 300 - shares) < 5 * np.sqrt(shares * (1 - shares) / 300))


@pytest.mark.parametrize("stage", ["acquisition", "retention"])
def test_performance_at_the_start_is_the_band_s_vdot(stage):
    for person in PEOPLE:
        p = person.stage(stage)
        start = (
            p.baseline_performance
            + p.fitness_utility * p.initial_fitness
            - p.fatigue_utility * p.initial_fatigue
        )
        assert start == pytest.approx(person.physiology.vdot)


@pytest.mark.parametrize("stage", ["acquisition", "retention"])
def test_the_extremes_bound_everybody(stage):
    extremes = list(Population().extremes())
    for fitness in (True, False):
        bounds = [
            max(
                stock_bound(
                    one.stage(stage),
                    retention=stage == "retention",
                    fitness=fitness,
                    largest_session_trimp=60.0,
                    steps=90,
                )
                for one in people
            )
            for people in (PEOPLE, extremes)
        ]
        assert bounds[0] <= bounds[1]
    assert max(motivation_bound(p.motivation, 0.0) for p in PEOPLE) <= max(
        motivation_bound(p.motivation, 0.0) for p in extremes
    )
    assert max(p.stage(stage).initial_base_level for p in PEOPLE) <= max(
        p.stage(stage).initial_base_level for p in extremes
    )


@pytest.mark.parametrize("env_id", ["fitgym/Acquisition-v0", "fitgym/RetentionContinuous-v0"])
def test_every_reset_meets_somebody_new_without_torch(env_id):
    torch_before = "torch" in sys.modules
    env = gym.make(env_id, individual="population", observation="full")
    met = []
    for episode in range(40):
        observation, _ = env.reset(seed=0 if episode == 0 else None)
        met.append(env.unwrapped.individual)
        env.action_space.seed(episode)
        for _ in range(90):
            assert observation in env.observation_space
            observation, *_ = env.step(env.action_space.sample())
        assert observation in env.observation_space
    assert len({person.acquisition.fitness_decay for person in met}) == 40
    assert len({person.physiology.vdot for person in met}) > 3
    env.reset(seed=0)
    assert env.unwrapped.individual == met[0]
    assert ("torch" in sys.modules) == torch_before
