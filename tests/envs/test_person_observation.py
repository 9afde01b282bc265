"""Fixed splits of the population, the observation of a person, and people named at reset."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from fitgym.envs.context import context
from fitgym.people.individual import load_individual
from fitgym.people.runners import RunnerPopulation
from fitgym.people.splits import SPLITS, PeopleSplit

IDS = ("fitgym/Acquisition-v1", "fitgym/Retention-v1")


def people(name: str = "test") -> PeopleSplit:
    return PeopleSplit(RunnerPopulation(), name)


def test_people_of_a_split_are_the_same_everywhere_and_differ_from_all_others() -> None:
    drawn = {
        (person.physiology.heart_rate_offset, person.habit.probability)
        for name in SPLITS
        for person in map(people(name).person, range(100))
    }
    assert len(drawn) == 300
    generator = np.random.default_rng([220_400_961, 2, 7])
    assert people().person(7) == RunnerPopulation().draw(generator)


def test_unknown_splits_and_people_are_named() -> None:
    with pytest.raises(ValueError, match="split must be one of .*'train'.*got 'tests'"):
        gym.make(IDS[0], individual="population:tests")
    with pytest.raises(ValueError, match="number must be .*999, got 1000"):
        people().person(1000)


@pytest.mark.parametrize("env_id", IDS)
def test_training_draws_people_of_its_split_alone(env_id: str) -> None:
    environments = gym.make_vec(env_id, 50, individual="population:validation")
    environments.reset(seed=0)
    allowed = {id(people("validation").person(number)) for number in range(1000)}
    assert {id(one) for one in environments.unwrapped.individuals} <= allowed


@pytest.mark.parametrize("env_id", IDS)
def test_the_person_is_observed_beside_the_state(env_id: str) -> None:
    """The columns are those of the state, yesterday's info, and who the person is."""
    person = people().person(3)
    plain = gym.make(env_id, individual=person)
    told = gym.make(env_id, individual=person, observation="person")
    before, _ = plain.reset(seed=5)
    observation, _ = told.reset(seed=5)
    physiology, habit = person.physiology, person.habit
    who = [
        physiology.vdot,
        physiology.resting_heart_rate,
        physiology.maximum_heart_rate,
        float(physiology.gender == "female"),
        habit.probability,
        habit.median_trimp,
    ]
    np.testing.assert_array_equal(observation, np.float32([*before, 0.0, 0.0, 0.0, *who]))
    generator = np.random.default_rng(0)
    for _ in range(90):
        action = int(generator.integers(11))
        before, reward, *_ = plain.step(action)
        observation, same, *_, info = told.step(action)
        assert reward == same
        done = info["done_trimp"]
        per_point = info["internal_load"] / done if done else 0.0
        expected = np.float32([*before, reward, info["mean_heart_rate"], per_point, *who])
        np.testing.assert_array_equal(observation, expected)
        assert observation in told.observation_space


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_the_vector_environment_observes_people_as_scalar_ones_do(mode: str) -> None:
    arguments = {"individual": "population:train", "observation": "person", "days": 4}
    vector = gym.make_vec(IDS[0], 3, autoreset_mode=mode, **arguments)
    scalars = [gym.make(IDS[0], **arguments) for _ in range(3)]
    observations, _ = vector.reset(seed=2)
    expected = [one.reset(seed=2 + index)[0] for index, one in enumerate(scalars)]
    np.testing.assert_array_equal(observations, expected)
    for day in range(9):
        actions = np.array([day % 11, 3, 10])
        over = mode == "NextStep" and day in (4, 9)
        if mode == "Disabled" and day in (4, 8):
            observations, _ = vector.reset(options={"reset_mask": np.array([True] * 3)})
            expected = [one.reset()[0] for one in scalars]
            np.testing.assert_array_equal(observations, expected)
        observations, _, ended, _, infos = vector.step(actions)
        if over:
            expected = [one.reset()[0] for one in scalars]
        else:
            expected = [one.step(int(a))[0] for one, a in zip(scalars, actions, strict=True)]
            if mode == "SameStep" and ended.all():
                np.testing.assert_array_equal(infos["final_obs"], expected)
                expected = [one.reset()[0] for one in scalars]
        np.testing.assert_array_equal(observations, expected)


def test_a_partial_reset_leaves_the_other_observations_as_they_were() -> None:
    vector = gym.make_vec(
        IDS[0], 3, autoreset_mode="Disabled", observation="person", individual="population"
    )
    vector.reset(seed=0)
    for _ in range(5):
        before, *_ = vector.step(np.array([4, 4, 4]))
    mask = np.array([False, True, False])
    after, _ = vector.reset(options={"reset_mask": mask})
    np.testing.assert_array_equal(after[~mask], before[~mask])
    assert (after[mask] != before[mask]).any()


def test_each_environment_may_get_a_person_of_its_own() -> None:
    """A reset that names one person for each environment is as many scalar resets."""
    named = [people().person(0), people().person(1), people().person(0)]
    vector = gym.make_vec(IDS[1], 3, individual="population", observation="person")
    observations, _ = vector.reset(seed=9, options={"individual": named})
    assert vector.unwrapped.individuals == tuple(named)
    scalar = gym.make(IDS[1], individual="population", observation="person")
    for _ in range(20):
        observations, rewards, *_ = vector.step(np.array([5, 6, 7]))
    for index, person in enumerate(named):
        scalar.reset(seed=9 + index, options={"individual": person})
        for _ in range(20):
            observation, reward, *_ = scalar.step(5 + index)
        np.testing.assert_array_equal(observations[index], observation)
        assert rewards[index] == reward


def test_too_few_people_are_refused() -> None:
    vector = gym.make_vec(IDS[0], 3, individual="population")
    with pytest.raises(ValueError, match=r"options\['individual'\] must name .* 3 env.*got 2"):
        vector.reset(options={"individual": [people().person(0)] * 2})
    with pytest.raises(ValueError, match="unknown keys"):
        vector.reset(options={"individual": [people().person(0)] * 3, "person": 1})
    with pytest.raises(ValueError, match="does not fit"):
        gym.make_vec(IDS[0], 1, individual="novice-runner").reset(
            options={"individual": [load_individual("competitive-runner")]}
        )


def test_context_of_an_unknown_gender_is_between() -> None:
    assert context(load_individual("novice-runner"))[3] == 0.5
