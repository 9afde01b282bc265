"""Agents judged over people, against episodes of the scalar environment and shipped references."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from fitgym.people.splits import PeopleSplit
from fitgym.planning.people_references import (
    EPISODES,
    PEOPLE,
    SEED,
    PersonReferences,
    people_references,
    split_of,
)
from fitgym_agents.people import evaluate_people
from fitgym_agents.references.simple import CoachRule, FixedPlan

IDS = ("fitgym/Acquisition-v1", "fitgym/Retention-v1")


def people(env_id: str) -> PeopleSplit:
    return split_of(env_id, "test")


def test_everybody_lives_through_the_same_episodes() -> None:
    """The return of person p in episode i is that of a scalar environment seeded with it."""
    named = [people(IDS[0]).person(number) for number in (4, 9)]
    found = evaluate_people(FixedPlan(3), IDS[0], named, episodes=3, seed=50)
    for person, mean, gain in zip(named, found.returns, found.gains, strict=True):
        returns, gains = [], []
        for episode in range(3):
            environment = gym.make(IDS[0], individual=person)
            _, info = environment.reset(seed=50 + episode)
            start, total, over = info["performance"], 0.0, False
            while not over:
                _, reward, over, _, info = environment.step(3)
                total += float(reward)
            returns.append(total)
            gains.append(info["performance"] - start)
        assert mean == pytest.approx(np.mean(returns), rel=1e-12)
        assert gain == pytest.approx(np.mean(gains), rel=1e-9)


@pytest.mark.parametrize("env_id", IDS)
def test_shipped_references_are_what_the_agents_earn(env_id: str) -> None:
    """No service, the best fixed plan and the coach, played by agents in the environment."""
    references = people_references(env_id)
    assert [one.number for one in references] == list(range(PEOPLE))
    for number in (0, 57):
        one = references[number]
        person = people(env_id).person(number)
        for agent, stored in (
            (FixedPlan(0), one.none),
            (FixedPlan(one.fixed_plan), one.fixed),
            (CoachRule(), one.coach),
        ):
            found = evaluate_people(agent, env_id, [person], episodes=EPISODES, seed=SEED)
            assert found.returns[0] == pytest.approx(stored, abs=6e-4)


@pytest.mark.parametrize("env_id", IDS)
def test_the_ceiling_is_above_whoever_knows_less(env_id: str) -> None:
    for one in people_references(env_id):
        assert one.ceiling > one.fixed
        assert one.ceiling > one.belief
        assert one.ceiling > one.coach
        assert one.belief > one.none


def test_a_share_is_the_way_from_no_service_to_the_ceiling() -> None:
    one = PersonReferences(
        number=0, none=10.0, fixed=15.0, fixed_plan=2, coach=20.0, belief=27.0, ceiling=30.0
    )
    assert one.share(10.0) == 0.0
    assert one.share(30.0) == 1.0
    assert one.share(5.0) == -0.25


def test_other_environments_have_no_references() -> None:
    with pytest.raises(ValueError, match="env_id must be one of .*Acquisition-v1.*got 'fitgym/Acq"):
        people_references("fitgym/Acquisition-v0")
