from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fitgym_agents.online.agent import Profiles
from fitgym_agents.online.cohort import Cohort, CohortLog, run_cohort
from fitgym_agents.online.model_based import ModelBased

ENV_ID = "fitgym/Acquisition-v1"
DAYS = 8


def cohort(**changes: Any) -> Cohort:
    return Cohort(
        **{
            "env_id": ENV_ID,
            "people": 6,
            "days": DAYS,
            "join_weeks": 1,
            "env_kwargs": {"individual": "population"},
            "seed": 9,
            **changes,
        }
    )


class Onlooker(ModelBased):
    """Weighs people as the agent does, while plans are drawn at random."""

    def probabilities(self, observations: Any) -> Any:
        super().probabilities(observations)
        return np.full((observations.person.size, 11), 1.0 / 11.0)


@pytest.fixture(scope="module")
def agent() -> ModelBased:
    return ModelBased(library=4, most=2)


def test_a_repeated_run_is_the_same_to_the_bit(agent: ModelBased) -> None:
    first, again = run_cohort(agent, cohort()), run_cohort(agent, cohort())
    np.testing.assert_array_equal(first.action, again.action)
    np.testing.assert_array_equal(first.reward, again.reward)
    wanted = first.probabilities[first.decided]
    # One plan is the best, and the others keep the floor.
    np.testing.assert_allclose(np.sort(wanted, axis=1)[:, :-1], 0.2 / 11)


def test_another_task_has_another_library(agent: ModelBased) -> None:
    run_cohort(agent, cohort())
    other = cohort(days=5)
    used, fresh = run_cohort(agent, other), run_cohort(ModelBased(library=4, most=2), other)
    np.testing.assert_array_equal(used.probabilities, fresh.probabilities)


def test_sampling_takes_each_plan_as_often_as_its_people_are_likely() -> None:
    log = run_cohort(ModelBased(library=4, most=4, planning="sampling"), cohort(exploration=0.0))
    wanted = log.probabilities[log.decided]
    np.testing.assert_allclose(wanted.sum(axis=1), 1.0)
    assert (wanted > 0.0).sum(axis=1).max() > 1


def test_data_that_come_late_tell_the_same_in_the_end() -> None:
    ends = []
    for late in (0.0, 0.6):
        agent = Onlooker(library=4)
        logs: CohortLog = run_cohort(
            agent, cohort(late=late, missing=0.0, outage=0.0, exploration=1.0)
        )
        assert logs.decided[logs.available].all()
        ends.append((agent._filter.evidence.copy(), agent._filter.motivation.copy(), logs.action))
    for on_time, late_ones in zip(*ends, strict=True):
        np.testing.assert_array_equal(on_time, late_ones)


def test_missing_data_tell_less() -> None:
    whole, holes = Onlooker(library=4), Onlooker(library=4)
    usual = cohort(late=0.0, missing=0.0, outage=0.0)
    run_cohort(whole, usual)
    log = run_cohort(holes, replace(usual, missing=0.5))
    known = (log.arrival >= 0).sum(axis=1)
    # Every day that came in counts once, and no other does.
    np.testing.assert_array_equal(holes._filter._counts[:, 3], known)
    np.testing.assert_array_equal(whole._filter._counts[:, 3], DAYS)
    assert holes._filter.variance.mean() > whole._filter.variance.mean()


def test_it_learns_at_updates_alone() -> None:
    agent = Onlooker(library=4)
    run_cohort(agent, cohort(rhythm="weekly", days=6, outage=0.0))
    assert (agent._filter.evidence == 0.0).all()
    # The season was over before the first week.
    agent.update()
    assert (agent._filter.evidence != 0.0).any()


def test_people_with_other_plans_are_refused(agent: ModelBased) -> None:
    run_cohort(agent, cohort())
    plans = np.array([[0.0, *np.arange(1.0, 11.0)]])
    one = np.ones(1)
    with pytest.raises(ValueError, match="population's plans"):
        agent.join(
            Profiles(np.zeros(1, int), one, one, one, one, plans, np.ones((1, 6), np.float32))
        )
