from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import fitgym  # noqa: F401
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.planning.belief import MotivationFilter
from fitgym.planning.grid import GridSize
from fitgym.planning.library import Library, LibraryFilter, solved_library
from fitgym.planning.simulation import random_plan, simulate

DAYS = 30
SIZE = GridSize(base_level=3, fitness=3, fatigue=3, motivation=5, shares=2, habits=2)


@pytest.fixture(scope="module", params=["fitgym/Acquisition-v0", "fitgym/Acquisition-v1"])
def library(request: Any) -> tuple[Any, Library]:
    env: Any = gym.make(request.param, days=DAYS).unwrapped
    return env.task, solved_library(env.task, 5, seed=1, size=SIZE)


def live(task: Any, known: Library, index: int, episodes: int, seed: int) -> Any:
    person = task.prepare(known.programs[index].individual)
    policy = random_plan(task.action_mask(), seed)
    return simulate(task, person, policy, episodes=episodes, seed=seed)


def weigh(known: Library, seasons: Any, people: int, days: int) -> LibraryFilter:
    weighed = LibraryFilter(known, people)
    everybody = np.arange(people)
    for day in range(days):
        before, after = seasons.states[day], seasons.states[day + 1]
        # Load and heart rate are those of the day, not of the last session.
        after = after.copy()
        after["internal_load"] = seasons.outcomes["internal_load"][day]
        earlier = None if day == 0 else seasons.outcomes["performance"][day - 1]
        gain = (
            np.full(people, np.nan)
            if earlier is None
            else seasons.outcomes["performance"][day] - earlier
        )
        weighed.observe(everybody, before, after, gain)
    return weighed


def test_it_finds_out_who_somebody_is(library: tuple[Any, Library]) -> None:
    task, known = library
    for index in range(len(known.programs)):
        weighed = weigh(known, live(task, known, index, 20, 50), 20, DAYS)
        assert weighed.weights(np.arange(20))[:, index].mean() > 0.9


def test_what_is_random_alone_tells_on_average(library: tuple[Any, Library]) -> None:
    task, known = library
    for index in range(len(known.programs)):
        weighed = weigh(known, live(task, known, index, 60, 90), 60, DAYS)
        # Of all people the true one explains best what was random (Gibbs' inequality).
        mean = weighed.evidence.mean(axis=0)
        error = (weighed.evidence - weighed.evidence[:, [index]]).std(axis=0) / np.sqrt(60)
        assert (mean[index] >= mean - 3.0 * error).all()


def test_motivation_is_that_of_the_exact_filter(library: tuple[Any, Library]) -> None:
    task, known = library
    index, people = 2, 40
    seasons = live(task, known, index, people, 130)
    weighed = weigh(known, seasons, people, DAYS)
    environment = FitnessFatigueEnv(individual=known.programs[index].individual, **asdict(task))
    exact = MotivationFilter(environment, -4.0, 4.0, 401)
    beliefs = exact.start(people)
    for day in range(DAYS):
        after = seasons.states[day + 1].copy()
        after["internal_load"] = 0.0
        beliefs = exact.update(beliefs, seasons.states[day], after)
    mean = beliefs @ exact.motivations
    sd = np.sqrt(beliefs @ exact.motivations**2 - mean**2)
    np.testing.assert_allclose(weighed.motivation[:, index], mean, atol=0.25 * sd.max())
    np.testing.assert_allclose(np.sqrt(weighed.variance[:, index]), sd, rtol=0.15)


def test_a_day_of_which_nothing_is_known_widens_the_belief(library: tuple[Any, Library]) -> None:
    _, known = library
    weighed = LibraryFilter(known, 3)
    weighed.variance[:] = 0.01
    weighed.motivation[:] = 1.0
    weighed.skip(np.array([1]))
    assert (weighed.variance[1] > 0.01).all()
    assert (np.abs(weighed.motivation[1]) < 1.0).all()
    assert (weighed.variance[[0, 2]] == 0.01).all()


def test_values_of_a_person_who_is_certain_are_the_programs_own(
    library: tuple[Any, Library],
) -> None:
    task, known = library
    weighed = LibraryFilter(known, 4)
    weighed.evidence[:, 3] = 1e6
    weighed.variance[:] = 1e-12
    states = live(task, known, 3, 4, 7).states[5]
    values, weights = weighed.plan_values(np.arange(4), states, 1)
    assert (weights == 1.0).all()
    program = known.programs[3]
    middle = program.plan_values(states)
    zero = np.array([np.interp(0.0, program.axes[3], np.arange(program.axes[3].size))])
    low = int(zero[0])
    part = float(zero[0]) - low
    expected = (1.0 - part) * middle[:, :, low] + part * middle[:, :, low + 1]
    np.testing.assert_allclose(values[:, 0], expected, rtol=1e-5)


def test_the_library_is_drawn_anew_for_another_seed(library: tuple[Any, Library]) -> None:
    task, known = library
    again = solved_library(task, 5, seed=1, size=SIZE)
    other = solved_library(replace(task), 2, seed=2, size=SIZE)
    assert [one.individual for one in again.programs] == [one.individual for one in known.programs]
    assert other.programs[0].individual != known.programs[0].individual
