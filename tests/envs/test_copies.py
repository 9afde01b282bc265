"""Copies: of the environment in the middle of an episode, with another future, and from JSON."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from numpy.testing import assert_equal

from fitgym.adherence import CustomAdherence, Response
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.vector import FitnessFatigueVectorEnv
from fitgym.people.individual import load_individual
from fitgym.planning.dynamic_programming import solve
from fitgym.planning.grid import GridSize

RUNNER = load_individual("recreational-runner")


class Fickle(CustomAdherence):
    """Does some of a plan, by chance, and remembers how often it was asked."""

    asked = 0

    def respond(self, situation: Any) -> Response:
        self.asked += 1
        share = situation.generator.random() / self.asked
        return Response(intensity=share * situation.plan_trimp, met=False)


KINDS: list[dict[str, Any]] = [
    {},
    {"individual": "population"},
    {"adherence": "replay", "individual": "marathon-runner"},
    {"adherence": f"{__name__}:Fickle"},
    {"render_mode": "rgb_array"},
]


@pytest.mark.parametrize("arguments", KINDS)
@pytest.mark.parametrize("copier", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_goes_on_as_the_original_and_by_itself(
    arguments: dict[str, Any], copier: Any
) -> None:
    env: Any = FitnessFatigueEnv(**arguments)
    env.reset(seed=3)
    for _ in range(5):
        env.step(6)
    if env.render_mode:
        env.render()
    twin, third = copier(env), copier(env)
    # What the copy does is nothing to the original.
    for _ in range(4):
        twin.step(10)
    for _ in range(4):
        assert_equal(env.step(3), third.step(3))
    if env.render_mode:
        np.testing.assert_array_equal(env.render(), third.render())
    assert_equal(env.reset(), third.reset())


@pytest.mark.parametrize("individual", ["recreational-runner", "population"])
def test_copies_share_the_tables(individual: str) -> None:
    env = FitnessFatigueEnv(individual=individual)
    vector = FitnessFatigueVectorEnv(3, individual=individual)
    for one in (env, vector):
        one.reset(seed=0)
        assert len(pickle.dumps(one)) < 20_000
    assert copy.deepcopy(env).adherence.tables.loads is env.adherence.tables.loads
    assert pickle.loads(pickle.dumps(env)).adherence.tables.loads is env.adherence.tables.loads
    twin = copy.deepcopy(vector)
    assert twin._groups[0].tables.loads is vector._groups[0].tables.loads
    twin.step([1, 2, 3])
    twin.reset()
    again = copy.deepcopy(vector)
    third = pickle.loads(pickle.dumps(vector))
    for _ in range(3):
        result = vector.step([1, 2, 3])
        assert_equal(result, again.step([1, 2, 3]))
        assert_equal(result, third.step([1, 2, 3]))


def futures(env: Any, steps: int = 12) -> list[float]:
    """Return the rewards of the days to come under one plan."""
    return [float(np.sum(env.step(env.action_space.sample() * 0 + 6)[1])) for _ in range(steps)]


@pytest.mark.parametrize("arguments", [{}, {"adherence": f"{__name__}:Fickle"}])
@pytest.mark.parametrize("make", [FitnessFatigueEnv, FitnessFatigueVectorEnv])
def test_a_branch_has_the_same_state_and_another_future(make: Any, arguments: Any) -> None:
    env = make(days=20, **arguments)
    env.reset(seed=2)
    futures(env, 5)
    before = env._states if make is FitnessFatigueVectorEnv else env.state
    branches = [env.branch(seed) for seed in (1, 1, 2, None)]
    for branch in branches:
        now = branch._states if make is FitnessFatigueVectorEnv else branch.state
        for name in before.dtype.names:
            assert (name == "key") == (not np.array_equal(now[name], before[name])), name
    assert branches[0].np_random_seed == ((1,) if make is FitnessFatigueVectorEnv else 1)
    plain = copy.deepcopy(env)
    one, again, two, unseeded = map(futures, branches)
    original = futures(env)
    assert original == futures(plain)
    assert one == again
    assert len({tuple(rewards) for rewards in (one, two, unseeded, original)}) == 4
    # Episodes after this one differ, too.
    branches[0].reset()
    env.reset()
    assert futures(branches[0]) != futures(env)


@pytest.mark.parametrize("make", [FitnessFatigueEnv, FitnessFatigueVectorEnv])
def test_another_generator_means_another_future(make: Any) -> None:
    """As searches that reseed their copies take for granted."""

    def generator(seed: int) -> Any:
        one = np.random.default_rng(seed)
        return (one,) if make is FitnessFatigueVectorEnv else one

    env, other = make(days=20, observation="full"), make(days=20, observation="full")
    # Before an episode it is the generator that a seed would make.
    env.np_random = generator(8)
    assert_equal(env.reset(), other.reset(seed=8))
    futures(env, 5)
    copies = [copy.deepcopy(env) for _ in range(4)]
    # The seed of the episode itself is no exception.
    for twin, seed in zip(copies, (1, 1, 8), strict=False):
        twin.np_random = generator(seed)
    one, again, eight, plain = map(futures, copies)
    assert one == again
    assert plain == futures(env)
    assert len({tuple(rewards) for rewards in (one, eight, plain)}) == 3


@pytest.mark.parametrize("arguments", [{}, {"adherence": f"{__name__}:Fickle"}])
def test_branches_of_a_vector_are_those_of_its_environments(arguments: Any) -> None:
    vector = FitnessFatigueVectorEnv(2, days=20, **arguments)
    singles = [FitnessFatigueEnv(days=20, **arguments) for _ in range(2)]
    vector.reset(seed=3)
    for i, env in enumerate(singles):
        env.reset(seed=3 + i)
    twin = vector.branch(3)
    twins = [env.branch(3 + i) for i, env in enumerate(singles)]
    for _ in range(10):
        observations, rewards, *_ = twin.step([5, 7])
        for i, env in enumerate(twins):
            observation, reward, *_ = env.step([5, 7][i])
            np.testing.assert_array_equal(observation, observations[i])
            assert reward == rewards[i]


def test_a_wrapper_passes_the_generator_on() -> None:
    env = gym.make("fitgym/Acquisition-v0")
    env.reset(seed=1)
    key = env.unwrapped.state["key"][0]
    env.np_random = np.random.default_rng(1)
    assert env.unwrapped.state["key"][0] != key
    assert env.np_random_seed == -1


def test_a_vector_wants_as_many_generators_as_it_has_environments() -> None:
    env = FitnessFatigueVectorEnv(2)
    with pytest.raises(ValueError, match="a generator for each of 2 environments, got 1"):
        env.np_random = (np.random.default_rng(1),)


def search(env: Any, look: Any, futures: int, policy: Any) -> float:
    """Return what an episode earns when each day's plan is the best in simulated futures.

    Args:
        env: The environment, about to take its first step.
        look: Returns a copy of the environment, given a number.
        futures: How many copies to take of each day.
        policy: Plans of the days after the one looked at, by state.
    """
    total, terminated, number = 0.0, False, 0
    while not terminated:
        values = np.zeros(11)
        for _ in range(futures):
            number += 1
            for action in range(11):
                twin = look(env, number)
                _, reward, over, _, _ = twin.step(action)
                values[action] += reward
                while not over:
                    _, reward, over, _, _ = twin.step(int(policy(twin.state)[0]))
                    values[action] += reward
        _, reward, terminated, _, _ = env.step(int(values.argmax()))
        total += reward
    return total


def test_a_search_over_branches_does_not_beat_the_dynamic_program() -> None:
    """Over plain copies it does, since these live through the original's own future."""
    # What is worth most is to know how much will be tolerated today.
    env: Any = FitnessFatigueEnv(
        days=6, observation="full", completion_bonus=5.0, shortfall_penalty=0.5
    )
    program = solve(env, GridSize().refined(0.4), cache=False)
    kinds: dict[str, Any] = {
        "plain": (lambda env, number: copy.deepcopy(env), 1),
        "branch": (lambda env, number: env.branch(number), 3),
    }
    gains: dict[str, list[float]] = {name: [] for name in kinds}
    for seed in range(12):
        env.reset(seed=seed)
        best, terminated = 0.0, False
        while not terminated:
            _, reward, terminated, _, _ = env.step(int(program.actions(env.state)[0]))
            best += reward
        for name, (look, futures) in kinds.items():
            env.reset(seed=seed)
            gains[name].append(search(env, look, futures, program.actions) - best)
    errors = {name: np.std(gain, ddof=1) / np.sqrt(len(gain)) for name, gain in gains.items()}
    assert np.mean(gains["plain"]) > 4.0 * errors["plain"]
    assert np.mean(gains["branch"]) < 2.0 * errors["branch"]


@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
@pytest.mark.parametrize("kind", ["path", "text", "individual", "mapping"])
def test_a_specification_survives_json(make: Any, kind: str, tmp_path: Path) -> None:
    person = dataclasses.replace(RUNNER, name="eve", sessions_trimp=(10.0, 0.0, 20.5))
    path = tmp_path / "eve.json"
    person.to_file(path)
    individual = {
        "path": path,
        "text": str(path),
        "individual": person,
        "mapping": person.to_dict(),
    }[kind]
    env = make(
        "fitgym/Acquisition-v0",
        individual=individual,
        days=np.int64(6),
        shortfall_penalty=np.float32(0.5),
        forbidden_plans=(plan for plan in np.array([9, 10])),
    )
    spec = env.unwrapped.spec
    assert json.loads(spec.to_json())["kwargs"] == json.loads(json.dumps(spec.kwargs))
    twin = make(EnvSpec.from_json(spec.to_json()))
    again = make(spec)
    for one in (twin, again):
        assert one.unwrapped.task == env.unwrapped.task
        assert one.unwrapped.task.forbidden_plans == (9, 10)
        assert_equal(env.reset(seed=1), one.reset(seed=1))
    assert twin.unwrapped._usual.individual == person
