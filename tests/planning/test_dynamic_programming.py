"""The dynamic program against enumeration, and its policy against the environment."""

from __future__ import annotations

import dataclasses
import itertools
import math
import warnings
from pathlib import Path
from statistics import NormalDist
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from fitgym.adherence.response import Curve, plan_done
from fitgym.people.individual import load_individual
from fitgym.planning.belief import MotivationFilter, belief_policy
from fitgym.planning.dynamic_programming import DynamicProgram, solve
from fitgym.planning.grid import GridSize, hat_weights
from fitgym.planning.simulation import fixed_plan, random_plan, simulate

COARSE = GridSize(base_level=5, fitness=5, fatigue=6, motivation=11, shares=4, habits=4)
STAGES = ("acquisition", "retention")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path)
    return tmp_path


def make(stage: str = "acquisition", motivation: Any = None, **changes: Any) -> Any:
    person = load_individual("recreational-runner")
    if motivation:
        person = dataclasses.replace(
            person, motivation=dataclasses.replace(person.motivation, **motivation)
        )
    kwargs = {"individual": person, "days": 8, **changes}
    return gym.make(f"fitgym:fitgym/{stage.capitalize()}-v0", **kwargs).unwrapped


def without_history(environment: Any) -> Any:
    """Give every history of the person's load table the same loads."""
    tables = environment.adherence.tables
    loads = np.repeat(tables.loads[:, 1:2], tables.loads.shape[1], axis=1)
    environment.adherence.tables = tables._replace(loads=loads)
    return environment


@pytest.mark.parametrize("stage", STAGES)
def test_equals_the_best_of_all_plan_sequences(stage: str) -> None:
    """Where nothing is random, trying every sequence in the environment gives the optimum."""
    allowed, days = (1, 4, 7, 10), 5
    environment = without_history(
        make(
            stage,
            # As good as no noise; fatigue decides what is completed.
            motivation={
                "tolerance_sd": 1e-6,
                "motivation_sd": 0.0,
                "initial_motivation_sd": 0.0,
                "reference_plan": 8,
            },
            days=days,
            forbidden_plans=[plan for plan in range(11) if plan not in allowed],
        )
    )
    returns = {}
    for plans in itertools.product(allowed, repeat=days):
        environment.reset(seed=0)
        returns[plans] = sum(environment.step(plan)[1] for plan in plans)
    size = GridSize(base_level=9, fitness=9, fatigue=13, motivation=31, shares=30, habits=1)
    program = solve(environment, size, cache=False)
    best = max(returns.values())
    # Wrong decisions would show: the next best sequences are close, the worst far away.
    assert best - np.median(list(returns.values())) > 0.05 * best
    assert program.value == pytest.approx(best, rel=0.01)

    environment.reset(seed=0)
    followed = [int(program.actions(environment.state)[0])]
    earned = environment.step(followed[0])[1]
    for _ in range(days - 1):
        followed.append(int(program.actions(environment.state)[0]))
        earned += environment.step(followed[-1])[1]
    assert earned == pytest.approx(returns[tuple(followed)])
    assert earned == pytest.approx(best, rel=0.003)


def slow_value(environment: Any, state: dict[str, float], day: int, allowed: Any) -> float:
    """Return the optimum by recursion over days, plans and many equally likely tolerances."""
    theta, moods = environment.parameters, environment.individual.motivation
    if day == environment.days:
        return 0.0
    tables, row = environment.adherence.tables, 6
    noises = [-1.6449, -1.0364, -0.6745, -0.3853, -0.1257, 0.1257, 0.3853, 0.6745, 1.0364, 1.6449]
    strain = theta.fatigue_utility * state["fatigue"]
    strain /= theta.baseline_performance + theta.fitness_utility * state["fitness"]
    best = -math.inf
    for plan in allowed:
        target = environment.individual.plans_trimp[plan - 1]
        total = 0.0
        for noise in noises:
            tolerance = math.exp(
                environment.adherence.log_reference_tolerance
                + moods.base_level_effect * math.log(state["base_level"] / theta.initial_base_level)
                - moods.fatigue_effect * strain
                + state["motivation"]
                + moods.tolerance_sd * noise
            )
            _, share, *_ = plan_done(tables, Curve(0, row, row, 0.0), target, tolerance)
            x, base = share * target, state["base_level"]
            fitness = math.exp(-theta.fitness_decay) * state["fitness"]
            fitness += base**theta.base_scaling * (x / base) ** theta.fitness_exponent
            fatigue = math.exp(-theta.fatigue_decay) * state["fatigue"]
            fatigue += base**theta.base_scaling * (x / base) ** theta.fatigue_exponent
            after = {
                "base_level": max(theta.base_decay * max(base, x), 1.0),
                "fitness": fitness,
                "fatigue": fatigue,
                "motivation": moods.persistence * state["motivation"]
                + (moods.success_effect if share == 1.0 else -moods.failure_effect * (1 - share)),
            }
            reward = theta.fitness_utility * fitness - theta.fatigue_utility * fatigue
            reward += 1.0 if share == 1.0 else -0.05 * (target - x)
            total += (reward + slow_value(environment, after, day + 1, allowed)) / len(noises)
        best = max(best, total)
    return best


def test_equals_brute_force_over_random_outcomes() -> None:
    allowed = (3, 8)
    environment = without_history(
        make(
            motivation={"motivation_sd": 0.0, "initial_motivation_sd": 0.0},
            days=3,
            forbidden_plans=[plan for plan in range(11) if plan not in allowed],
        )
    )
    theta = environment.parameters
    start = {
        "base_level": theta.initial_base_level,
        "fitness": theta.initial_fitness,
        "fatigue": theta.initial_fatigue,
        "motivation": 0.0,
    }
    expected = slow_value(environment, start, 0, allowed)
    size = GridSize(base_level=11, fitness=11, fatigue=11, motivation=25, shares=20, habits=1)
    assert solve(environment, size, cache=False).value == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("stage", STAGES)
def test_the_policy_earns_about_its_value_and_more_than_simple_ones(stage: str) -> None:
    environment = make(stage, days=30)
    program = solve(environment, COARSE, cache=False)
    person = environment.task.prepare(environment.individual)
    policies = {"seeing": program.actions, "belief": belief_policy(environment, program)}
    policies |= {f"fixed {plan}": fixed_plan(plan) for plan in range(11)}
    policies["random"] = random_plan(environment.action_mask)
    returns = {
        name: simulate(environment.task, person, policy, episodes=300, seed=5).returns
        for name, policy in policies.items()
    }
    assert returns["seeing"].mean() == pytest.approx(program.value, rel=0.05)
    for name in policies:
        if name not in ("seeing", "belief"):
            # Paired, on common random numbers.
            for planner in ("seeing", "belief"):
                gain = returns[planner] - returns[name]
                assert gain.mean() > 2.0 * gain.std() / math.sqrt(gain.size)


def test_values_of_the_last_day_are_expected_rewards(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the last day the best plan is the myopic one, whose rewards another module expects."""
    from fitgym.planning import one_step as solver
    from fitgym.planning.one_step import expected_rewards

    # More parts than usual, so that the expectation is the exact one to compare with.
    parts = [NormalDist().inv_cdf((part + 0.5) / 2000) for part in range(2000)]
    monkeypatch.setattr(solver, "_QUANTILES", np.array(parts))
    environment = make(days=1, observation="full")
    program = solve(environment, dataclasses.replace(COARSE, shares=60, habits=60), cache=False)
    observation, _ = environment.reset(seed=3)
    weights = hat_weights(program.axes[3], environment.state["motivation"])
    values = program.plan_values(environment.state)[0] @ weights[0]
    state = environment.state
    # Without a session yesterday both read the same row of the load table.
    assert state["history"] == 0
    np.testing.assert_allclose(
        values, expected_rewards(environment, observation[None])[0], rtol=2e-3
    )


def test_the_simulation_plays_the_environments_seasons() -> None:
    environment = make(days=12)
    person = environment.task.prepare(environment.individual)
    seasons = simulate(
        environment.task, person, random_plan(environment.action_mask), episodes=3, seed=40
    )
    for episode in range(3):
        environment.reset(seed=40 + episode)
        rewards = [environment.step(int(plan))[1] for plan in seasons.actions[:, episode]]
        assert rewards == seasons.outcomes["reward"][:, episode].tolist()
        assert environment.state[0] == seasons.states[-1, episode]


def test_forbidden_plans_are_never_chosen() -> None:
    environment = make(forbidden_plans=[0, 2, 5])
    program = solve(environment, COARSE, cache=False)
    person = environment.task.prepare(environment.individual)
    seasons = simulate(environment.task, person, program.actions, episodes=20, seed=0)
    assert not np.isin(seasons.actions, [0, 2, 5]).any()


def test_is_read_back_from_the_cache_and_made_anew_where_damaged(own_cache: Path) -> None:
    first = solve(make(), COARSE)
    (path,) = (own_cache / "dynamic_programs").iterdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*is out of date")
        second = solve(make(), COARSE)
    np.testing.assert_array_equal(first.values, second.values)
    assert first.value == second.value
    # Another task is another file.
    solve(make(completion_bonus=2.0), COARSE)
    assert len(list(path.parent.iterdir())) == 2
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.warns(RuntimeWarning, match="made anew.*is damaged"):
        third = solve(make(), COARSE)
    np.testing.assert_array_equal(first.values, third.values)


def test_a_solution_of_something_else_is_not_taken_for_this_one(own_cache: Path) -> None:
    first = solve(make(), COARSE)
    (path,) = (own_cache / "dynamic_programs").iterdir()
    solve(make(completion_bonus=2.0), COARSE)
    (other,) = set((own_cache / "dynamic_programs").iterdir()) - {path}
    path.write_bytes(other.read_bytes())
    with pytest.warns(RuntimeWarning, match=f"made anew.*else than what '{path.stem}'"):
        again = solve(make(), COARSE)
    np.testing.assert_array_equal(first.values, again.values)


def test_a_solution_that_cannot_be_kept_is_returned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path / "file")
    monkeypatch.setattr("fitgym.common.cache._temporary_folder", lambda: None)
    with pytest.warns(RuntimeWarning, match="cannot be cached"):
        program = solve(make(), COARSE)
    np.testing.assert_array_equal(program.values, solve(make(), COARSE, cache=False).values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"adherence": "certain"}, "'fitrec2', got 'certain'"),
        ({"continuous": True}, "continuous=True"),
        ({"individual": "population"}, "'population'"),
    ],
)
def test_what_cannot_be_solved_is_a_clear_error(changes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        solve(make(**changes), COARSE)


def test_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match="fatigue"):
        GridSize(fatigue=1)
    with pytest.raises(ValueError, match="factor"):
        GridSize().refined(0.0)
    assert GridSize().refined(2.0).shape == tuple(2 * count for count in GridSize().shape)


def test_hat_weights_interpolate_linearly() -> None:
    axis = np.linspace(-1.0, 2.0, 7)
    points = np.array([-3.0, -1.0, -0.7, 0.25, 1.99, 2.0, 5.0])
    values = np.cos(axis)
    np.testing.assert_allclose(hat_weights(axis, points) @ values, np.interp(points, axis, values))


def test_the_filter_is_bayes_rule() -> None:
    """Against a cloud of simulated people: those who did the same have the believed motivation."""
    environment = make(motivation={"initial_motivation_sd": 0.5}, days=2)
    person = environment.task.prepare(environment.individual)
    motivation_filter = MotivationFilter(environment, -3.0, 3.0, 301)
    seasons = simulate(environment.task, person, fixed_plan(5), episodes=20_000, seed=0)
    beliefs = motivation_filter.update(
        motivation_filter.start(20_000), seasons.states[0], seasons.states[1]
    )
    np.testing.assert_allclose(beliefs.sum(axis=1), 1.0)
    believed = beliefs @ motivation_filter.motivations
    truth = seasons.states["motivation"][1]
    share = seasons.states["completion"][1]
    for low, high in ((0.0, 0.6), (0.6, 0.8), (0.8, 0.999), (1.0, 1.0)):
        group = (share >= low) & (share <= high)
        assert group.sum() > 300
        assert believed[group].mean() == pytest.approx(truth[group].mean(), abs=0.03)
    variance = beliefs @ motivation_filter.motivations**2 - believed**2
    assert np.mean((truth - believed) ** 2) == pytest.approx(variance.mean(), rel=0.05)
    # What was done tells something, and habit does too.
    assert variance.mean() < 0.8 * truth.var()
    rested = simulate(environment.task, person, fixed_plan(0), episodes=2000, seed=0)
    beliefs = motivation_filter.update(
        motivation_filter.start(2000), rested.states[0], rested.states[1]
    )
    believed = beliefs @ motivation_filter.motivations
    trained = rested.states["intensity"][1] > 0.0
    assert believed[trained].mean() == pytest.approx(
        rested.states["motivation"][1][trained].mean(), abs=0.04
    )
    assert believed[trained].mean() > believed[~trained].mean()


def test_the_belief_starts_where_seasons_start() -> None:
    environment = make(motivation={"initial_motivation_sd": 0.3})
    motivation_filter = MotivationFilter(environment, -2.0, 2.0)
    start = motivation_filter.start(1)[0]
    assert start @ motivation_filter.motivations == pytest.approx(0.0, abs=1e-12)
    assert start @ motivation_filter.motivations**2 == pytest.approx(0.09, rel=0.01)


def test_a_program_knows_what_lies_beyond_its_grid() -> None:
    environment = make()
    environment.reset(seed=0)
    program: DynamicProgram = solve(environment, COARSE, cache=False)
    states = np.repeat(environment.state, 2)
    states["motivation"][1] = 50.0
    assert program.outside(states) == 0.5


@pytest.mark.parametrize(("margin", "rounds"), [(0.15, 1), (-0.1, 6)])
def test_a_grid_that_is_left_is_laid_out_anew(
    margin: float, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With less range than what is met, every solution leaves its grid, until rounds run out."""
    monkeypatch.setattr("fitgym.planning.grid._MARGIN", margin)
    solved = []
    induce = DynamicProgram.induce

    def counted(program: DynamicProgram, **kwargs: Any) -> None:
        solved.append(program)
        induce(program, **kwargs)

    monkeypatch.setattr(DynamicProgram, "induce", counted)
    program = solve(make(), COARSE, cache=False)
    # The first is the coarse one that scouts.
    assert len(solved) == 1 + rounds
    assert solved[-1] is program
    assert (program.outside(program.scouted) == 0.0) == (margin > 0.0)
