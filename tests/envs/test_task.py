"""The task: its arguments, which plans it forbids, and boxes that fit those who live in them."""

from __future__ import annotations

import dataclasses
import os
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from fitgym.cli.scores import _differences
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.task import Task, TaskArguments
from fitgym.envs.vector import FitnessFatigueVectorEnv
from fitgym.people.individual import load_individual
from fitgym.people.population import Population
from fitgym.people.runners import RUNNERS

MaskablePPO = pytest.importorskip("sb3_contrib").MaskablePPO
get_action_masks = pytest.importorskip("sb3_contrib.common.maskable.utils").get_action_masks
PPO = pytest.importorskip("stable_baselines3").PPO
DummyVecEnv = pytest.importorskip("stable_baselines3.common.vec_env").DummyVecEnv

# `make check-bounds` takes ten million.
STEPS = int(os.environ.get("FITGYM_BOUND_STEPS", "400000"))
RUNNER = load_individual("recreational-runner")
MARATHON = load_individual("marathon-runner")


def test_the_signature_of_constructors_has_the_fields_of_a_task() -> None:
    fields = [field.name for field in dataclasses.fields(Task)]
    assert list(TaskArguments.__annotations__) == fields


@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
def test_arguments_reach_the_task_and_unknown_ones_are_named(make: Any) -> None:
    env = make("fitgym/Acquisition-v0", days=np.int64(30), shortfall_penalty=1)
    task = env.unwrapped.task
    assert (task.days, type(task.days)) == (30, int)
    assert (task.shortfall_penalty, type(task.shortfall_penalty)) == (1.0, float)
    assert task == Task(days=30, shortfall_penalty=1.0)
    with pytest.raises(TypeError, match=r"unknown arguments \['dayz'\]: .* individual.* days"):
        make("fitgym/Acquisition-v0", dayz=30)


def test_a_new_argument_with_its_default_leaves_what_scores_hang_on() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Larger(Task):
        novelty: float = 0.5

    assert _differences(Task(days=30)) == {"days": 30}
    assert _differences(Larger(days=30)) == {"days": 30}
    assert _differences(Larger(days=30, novelty=1.0)) == {"days": 30, "novelty": 1.0}
    # A part of a record that has no default is told by its own differences.
    habit = dataclasses.replace(RUNNER.habit, log_sd=0.25)
    told = _differences(dataclasses.replace(RUNNER, habit=habit))
    assert told["habit"] == {"log_sd": 0.25}
    assert told["acquisition"]["fitness_decay"] == RUNNER.acquisition.fitness_decay


def nearest(forbidden: set[int], action: int) -> int:
    """Return the nearest allowed easier action by looking at one after the other."""
    for easier in range(action, -1, -1):
        if easier not in forbidden:
            return easier
    return min(set(range(11)) - forbidden)


@pytest.mark.parametrize("forbidden", [{9, 10}, {0, 1, 2}, {5}, {0, 3, 4, 10}, set()])
def test_a_forbidden_plan_gives_way_to_the_nearest_easier_one(forbidden: set[int]) -> None:
    arguments: Any = {"forbidden_plans": forbidden, "forbidden": "nearest", "days": 11}
    env = FitnessFatigueEnv(**arguments)
    vector = FitnessFatigueVectorEnv(11, **arguments)
    _, info = env.reset(seed=1)
    assert (info["plan"], info["asked_plan"]) == (-1, -1)
    _, infos = vector.reset(seed=1)
    assert set(infos["plan"]) == set(infos["asked_plan"]) == {-1}
    for action in range(11):
        info = env.step(action)[4]
        assert (info["asked_plan"], info["plan"]) == (action, nearest(forbidden, action))
        assert info["plan_trimp"] == (0.0, *RUNNER.plans_trimp)[info["plan"]]
    infos = vector.step(np.arange(11))[4]
    assert infos["asked_plan"].tolist() == list(range(11))
    assert infos["plan"].tolist() == [nearest(forbidden, action) for action in range(11)]


def test_plans_from_a_generator_are_forbidden() -> None:
    env = FitnessFatigueEnv(forbidden_plans=(plan for plan in (9, 10)))
    assert env.task.forbidden_plans == (9, 10)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="got 10: the plan is forbidden"):
        env.step(10)


def test_the_scalar_environment_gives_a_mask_to_maskable_ppo() -> None:
    def make() -> FitnessFatigueEnv:
        return FitnessFatigueEnv(forbidden_plans=[0, 9, 10], days=6)

    assert make().action_masks().tolist() == [False, *[True] * 8, False, False]
    assert make().action_masks().dtype == np.bool_
    for environments in (make(), DummyVecEnv([make, make])):
        # It would raise at the first forbidden plan.
        model = MaskablePPO("MlpPolicy", environments, n_steps=16, batch_size=16, seed=0)
        model.learn(64)
    assert get_action_masks(DummyVecEnv([make, make])).shape == (2, 11)


def test_the_vector_environment_has_a_mask_for_each() -> None:
    vector = FitnessFatigueVectorEnv(3, forbidden_plans=[9])
    masks = vector.action_masks()
    assert masks.shape == (3, 11)
    assert masks.dtype == np.bool_
    assert np.flatnonzero(~masks.all(axis=0)).tolist() == [9]
    assert not masks[:, 9].any()


def test_a_learner_without_masks_learns_with_the_nearest_plan() -> None:
    env = FitnessFatigueEnv(forbidden_plans=[0, 9, 10], forbidden="nearest", days=6)
    PPO("MlpPolicy", env, n_steps=32, batch_size=32, n_epochs=1, seed=0).learn(96)


@pytest.mark.parametrize("stage", ["acquisition", "retention"])
@pytest.mark.parametrize("name", ["recreational-runner", "literature-athlete", "marathon-runner"])
def test_the_box_is_that_of_the_individual(stage: str, name: str) -> None:
    env = FitnessFatigueEnv(stage=stage, individual=name)
    assert env.observation_space == Task(stage=stage).observation_space([load_individual(name)])
    vector = FitnessFatigueVectorEnv(2, stage=stage, individual=name)
    assert vector.single_observation_space == env.observation_space


def test_the_fatigue_of_the_default_individual_is_bounded_tightly() -> None:
    env = gym.make("fitgym/Retention-v0")
    assert env.observation_space.high[3] < 200.0
    # A hard session after a rest of the whole episode comes near to the bound.
    parameters = dataclasses.replace(RUNNER.retention, fatigue_decay=5.0)
    runner = dataclasses.replace(RUNNER, retention=parameters, name="quick")
    quick = FitnessFatigueEnv(stage="retention", individual=runner, adherence="certain")
    quick.reset(seed=0)
    for _ in range(89):
        quick.step(0)
    observation = quick.step(10)[0]
    assert 0.9 < observation[3] / quick.observation_space.high[3] <= 1.0


@pytest.mark.parametrize("make", [FitnessFatigueEnv, FitnessFatigueVectorEnv])
def test_an_individual_that_does_not_fit_is_refused_and_told_what_to_do(make: Any) -> None:
    env = make(stage="retention")
    with pytest.raises(ValueError, match=r"does not fit.*individual='marathon-runner', or"):
        env.reset(seed=1, options={"individual": "marathon-runner"})
    # Who reaches less fits, among them a shipped individual into the population's box.
    smaller = dataclasses.replace(RUNNER, name="smaller", plans_trimp=RUNNER.plans_trimp)
    env.reset(seed=1, options={"individual": smaller})
    population = make(stage="retention", individual="population")
    population.reset(seed=1, options={"individual": "recreational-runner"})


@pytest.mark.parametrize("make", [FitnessFatigueEnv, FitnessFatigueVectorEnv])
@pytest.mark.parametrize("stage", ["acquisition", "retention"])
def test_rates_that_are_none_of_days_are_told_in_version_1_alone(make: Any, stage: str) -> None:
    # The log's fit counts sessions: fitness is kept for less than one.
    def warned(**arguments: Any) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            make(stage=stage, **arguments)
        return [str(one.message) for one in caught if "individual" in str(one.message)]

    (told,) = warned(individual="marathon-runner", adherence="fitrec2")
    assert f"keeps fitness for {1 / MARATHON.stage(stage).fitness_decay:.2g} days" in told
    assert "fitgym profile" in told
    assert warned(individual="marathon-runner", adherence="fitrec") == []
    for runner in (*RUNNERS, "population"):
        assert warned(individual=runner, adherence="fitrec2") == []


POLICIES = {
    # Whole episodes of rest, then the hardest plan, when a low base level makes it count most.
    "late": lambda day, days, generator, size: np.full(size, 10 * (day >= days - 3)),
    "hardest": lambda day, days, generator, size: np.full(size, 10),
    "rest": lambda day, days, generator, size: np.zeros(size, dtype=np.int64),
    "in turn": lambda day, days, generator, size: np.full(size, 10 * (day % 10 < 5)),
    "random": lambda day, days, generator, size: generator.integers(0, 11, size),
    "mixed": lambda day, days, generator, size: 10 * (generator.random(size) < 0.1),
}


@pytest.mark.parametrize("individual", ["recreational-runner", "marathon-runner", "population"])
@pytest.mark.parametrize("stage", ["acquisition", "retention"])
def test_random_and_adversarial_steps_stay_in_the_box(stage: str, individual: str) -> None:
    days = 90
    # Six cases, two kinds of adherence and the policies share the steps.
    size = -(-STEPS // (6 * 2 * len(POLICIES) * days))
    for adherence in ("fitrec", "certain"):
        observation = "full" if adherence == "fitrec" else "state"
        env = FitnessFatigueVectorEnv(
            size,
            individual=individual,
            stage=stage,
            adherence=adherence,
            observation=observation,
            autoreset_mode="SameStep",
        )
        low, high = env.single_observation_space.low, env.single_observation_space.high
        generator = np.random.default_rng(0)
        for number, policy in enumerate(POLICIES.values()):
            observations, _ = env.reset(seed=number)
            for day in range(days):
                actions = policy(day, days, generator, size)
                observations, _, ended, _, infos = env.step(actions)
                if ended.any():
                    observations = np.concatenate([observations, infos["final_obs"]])
                assert np.all((low <= observations) & (observations <= high))


def test_an_agent_of_sb3_acts_for_the_population(tmp_path: Any) -> None:
    """Bounds differ between individuals; policies neither scale nor check by them."""
    model = PPO("MlpPolicy", FitnessFatigueEnv(days=5), n_steps=16, batch_size=16, n_epochs=1)
    model.save(tmp_path / "agent.zip")
    env = FitnessFatigueEnv(days=5, individual="population")
    observation, _ = env.reset(seed=3)
    assert env.action_space.contains(np.int64(model.predict(observation)[0]))
    # To learn on, SB3 wants to be told the space.
    space = {"observation_space": env.observation_space}
    PPO.load(tmp_path / "agent.zip", env=env, custom_objects=space).learn(16)


def test_the_population_has_as_many_individuals_as_it_needs_for_its_box() -> None:
    generator = np.random.default_rng(1)
    for stage in ("acquisition", "retention"):
        task = Task(stage=stage, observation="full")
        box = task.observation_space(Population().extremes())
        for _ in range(300):
            task.check_fits(Population().draw(generator), box)
