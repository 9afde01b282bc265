from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray

import fitgym  # noqa: F401
from fitgym_agents.online.agent import Observations, Outcomes, Profiles, Service
from fitgym_agents.online.bandits import LinearThompson, LinUCB, RandomProbabilities
from fitgym_agents.online.cohort import Cohort, run_cohort
from fitgym_agents.online.features import BASELINE, EFFECTS, Features
from fitgym_agents.online.regression import posterior

PEOPLE, DAYS = 400, 20
PLANS = np.array([0.0, 1.8, 7.0, 12.2, 17.4, 22.6, 27.8, 33.0, 38.2, 43.4, 48.6])
EFFECT = 0.7


def service(exploration: float = 0.0) -> Service:
    env = gym.make("fitgym/Acquisition-v1", days=DAYS).unwrapped
    return Service(
        env_id="fitgym/Acquisition-v1",
        task=env.task,  # type: ignore[attr-defined]
        people=PEOPLE,
        allowed=np.ones(11, dtype=np.bool_),
        exploration=exploration,
        seed=0,
    )


def states(fatigue: NDArray[np.float64]) -> NDArray[np.float32]:
    values = np.tile(np.array([0.0, 20.0, 300.0, 0.0, 0.0, 0.5], dtype=np.float32), (PEOPLE, 1))
    values[:, 3] = fatigue
    return values


class Confounded(LinearThompson):
    """Pushes plan 5 or none, the more often the further fatigue is from its mean."""

    def probabilities(self, observations: Observations) -> NDArray[np.float64]:
        wanted = np.zeros((observations.person.size, 11))
        away = np.abs(observations.values[:, 3].astype(np.float64) / 100.0 - 1.5)
        wanted[:, 5] = 0.1 + 0.8 * away
        wanted[:, 0] = 1.0 - wanted[:, 5]
        return wanted


def estimated_effect(centred: bool) -> float:
    """Serve people whose reward is not linear in their state; return what plan 5 seems to do."""
    agent = Confounded("full", centred=centred)
    agent.begin(service())
    person = np.arange(PEOPLE)
    ones = np.ones(PEOPLE)
    agent.join(
        Profiles(person, ones, ones, ones, ones, np.tile(PLANS, (PEOPLE, 1)), states(100.0 * ones))
    )
    draws = np.random.default_rng(1)
    for day in range(DAYS):
        fatigue = draws.uniform(0.5, 2.5, PEOPLE)
        values = states(100.0 * fatigue)
        observations = Observations(person, np.full(PEOPLE, day), values, np.zeros(PEOPLE, int))
        action, probabilities = agent.act(observations)
        reward = 5.0 * (fatigue - 1.5) ** 2 + EFFECT * (action > 0) + draws.normal(size=PEOPLE)
        zero = np.zeros(PEOPLE)
        agent.observe(
            Outcomes(
                person=person,
                day=observations.day,
                decided=ones > 0,
                action=action,
                probabilities=probabilities,
                reward=reward,
                completion=0.5 * ones,
                done_trimp=zero,
                performance=zero,
                mean_heart_rate=zero,
                internal_load=zero,
                before=values,
                after=values,
            )
        )
    agent.update()
    middle = Observations(person[:1], np.zeros(1, int), states(150.0 * ones)[:1], np.zeros(1, int))
    effects = agent._features.of(middle)[1]
    return float(effects[0, 5] @ agent._means[0])


def test_action_centring_is_unbiased_under_a_wrong_baseline() -> None:
    assert estimated_effect(centred=True) == pytest.approx(EFFECT, abs=0.12)
    # What it is for: the plain regression is far off.
    assert abs(estimated_effect(centred=False) - EFFECT) > 0.4


def test_nothing_is_learnt_from_days_that_others_decided() -> None:
    agent = LinearThompson("none")
    log = run_cohort(agent, Cohort(people=30, days=25, availability=0.6, late=0.3, missing=0.2))
    known = log.decided & (log.arrival >= 0)
    assert not known.all()
    np.testing.assert_array_equal(agent.moments.counts, known.sum(axis=1))
    np.testing.assert_allclose(agent.moments.squares, (log.reward**2 * known).sum(axis=1))


def test_thompson_probabilities_are_those_of_being_best() -> None:
    agent = LinearThompson("full", draws=4000)
    log = run_cohort(agent, Cohort(people=30, days=25, exploration=0.0))
    assert log.returns.size == 30
    observations = Observations(
        np.arange(2), np.zeros(2, int), states(120.0 * np.ones(PEOPLE))[:2], np.zeros(2, int)
    )
    probabilities = agent.probabilities(observations)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    effects = agent._features.of(observations)[1][0]
    pooled = agent.moments.pooled()
    means, covariances = posterior(
        pooled, np.zeros(BASELINE + EFFECTS), np.diag(agent._sds**-2), agent._noise
    )
    drawn = np.random.default_rng(5).multivariate_normal(means[0], covariances[0], size=20_000)
    best = (drawn[:, BASELINE:] @ effects.T).argmax(axis=1)
    np.testing.assert_allclose(
        probabilities[0], np.bincount(best, minlength=11) / best.size, atol=0.04
    )


def test_a_wider_bound_explores_more() -> None:
    kinds = []
    for width in (0.0, 20.0):
        log = run_cohort(LinUCB(width), Cohort(people=10, days=40, exploration=0.0, seed=2))
        kinds.append(np.unique(log.action).size)
    assert kinds[0] < kinds[1]


def test_random_probabilities_are_kept() -> None:
    fixed = np.array([0.3, 0.0, 0.7, *np.zeros(8)])
    cohort = Cohort(people=200, days=30, exploration=0.0, availability=1.0, missing=0.0, late=0.0)
    log = run_cohort(RandomProbabilities(fixed.tolist()), cohort)
    shares = np.bincount(log.action.ravel(), minlength=11) / log.action.size
    np.testing.assert_allclose(shares, fixed, atol=0.02)
    with pytest.raises(ValueError, match="eleven numbers"):
        RandomProbabilities([0.5, 0.6])


def test_features_of_no_plan_are_nothing_and_completion_is_remembered() -> None:
    features = Features(2)
    ones = np.ones(2)
    values = states(100.0 * np.ones(PEOPLE))[:2]
    features.join(Profiles(np.arange(2), ones, ones, ones, ones, np.tile(PLANS, (2, 1)), values))
    observations = Observations(np.arange(2), np.zeros(2, int), values, np.zeros(2, int))
    baseline, effects = features.of(observations)
    np.testing.assert_allclose(baseline, np.tile([1.0, 0.0, 0.0, 0.0, 0.5], (2, 1)))
    assert (effects[:, 0] == 0.0).all()
    np.testing.assert_allclose(effects[0, 10], [1.0, 1.0, 1.0, 0.5, 0.0])
