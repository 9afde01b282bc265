"""Trained agents that serve: what they are shown, and what learning on changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fitgym_agents.evaluation import evaluate
from fitgym_agents.online.cohort import Cohort, run_cohort
from fitgym_agents.online.fine_tuning import FineTuned
from fitgym_agents.online.registry import make_online_agent
from fitgym_agents.pretrained import load_pretrained


def cohort(**changes: Any) -> Cohort:
    plain = {"exploration": 0.0, "late": 0.0, "missing": 0.0, "outage": 0.0, "availability": 1.0}
    environment = {"env_kwargs": {"individual": "population"}}
    return Cohort(
        **{"people": 8, "days": 12, "join_weeks": 1, "seed": 3} | plain | environment | changes
    )


def test_an_agent_for_everyone_is_shown_the_person() -> None:
    served = cohort(env_kwargs={"individual": "recreational-runner"})
    log = run_cohort(make_online_agent("pretrained:a3c-population"), served)
    agent = load_pretrained("a3c-population", served.env_id)
    shown = evaluate(
        agent,
        served.env_id,
        episodes=8,
        seed=served.seed,
        env_kwargs={**served.arguments, "observation": "person"},
    )
    np.testing.assert_array_equal(log.action, shown.actions)
    np.testing.assert_array_equal(log.reward, shown.rewards)


def test_without_updates_a_fine_tuned_agent_draws_from_the_policy_that_ships() -> None:
    served = cohort(outage=1.0 - 1e-12)
    log = run_cohort(FineTuned("a3c-population"), served)
    likeliest = run_cohort(make_online_agent("pretrained:a3c-population"), served)
    np.testing.assert_array_equal(log.probabilities[:, 0].argmax(axis=1), likeliest.action[:, 0])
    assert (log.probabilities > 0.0).all()


def test_learning_on_repeats_to_the_bit_and_moves_the_policy() -> None:
    first, second = (run_cohort(FineTuned("a3c-population"), cohort()) for _ in range(2))
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    never = run_cohort(FineTuned("a3c-population"), cohort(outage=1.0 - 1e-12))
    # One day has no next morning, so that nothing is learnt before the second night.
    np.testing.assert_array_equal(first.probabilities[:, :2], never.probabilities[:, :2])
    assert (first.probabilities[:, 3] != never.probabilities[:, 3]).any()


def test_learning_on_serves_another_reward_than_the_agent_was_trained_for() -> None:
    served = cohort(
        people=40,
        days=40,
        env_kwargs={"individual": "population", "completion_bonus": 20.0},
        exploration=0.2,
    )
    as_it_is = run_cohort(make_online_agent("pretrained:a3c-population"), served)
    learning = run_cohort(FineTuned("a3c-population"), served)
    late = slice(20, None)
    gained = (learning.reward - as_it_is.reward)[:, late].sum(axis=1)
    error = gained.std(ddof=1) / np.sqrt(gained.size)
    assert gained.mean() > 2.0 * error
    assert (learning.completion[:, late] >= 1.0).mean() > (
        as_it_is.completion[:, late] >= 1.0
    ).mean()


@pytest.mark.parametrize("name", ["fine-tuned:ppo-population", "fine-tuned:drqn"])
def test_agents_other_than_a3c_do_not_learn_on(name: str) -> None:
    with pytest.raises(ValueError, match="fine-tuned agents are those of A3C"):
        run_cohort(make_online_agent(name), cohort())


def test_an_observation_that_is_not_shown_is_refused() -> None:
    agent = make_online_agent("random")
    agent.observation = "wearable"
    with pytest.raises(ValueError, match="must be one of state, person, got 'wearable'"):
        run_cohort(agent, cohort())
