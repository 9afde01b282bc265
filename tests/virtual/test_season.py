"""Virtual histories: equal to the environment's season, and consistent with their truth."""

from __future__ import annotations

from datetime import date

import gymnasium as gym
import numpy as np
import pytest

import fitgym  # noqa: F401
from fitgym.adherence.fitrec2_step import FITREC2
from fitgym.calibration.simulation import simulate as simulate_dynamics
from fitgym.envs import kernel
from fitgym.envs.records import OUTCOME
from fitgym.envs.task import Task
from fitgym.model.session_points import session_points
from fitgym.people.individual import load_individual
from fitgym.people.runners import RunnerPopulation
from fitgym.virtual.season import (
    RACE_DISTANCE_M,
    VirtualSeason,
    individual_at,
    plans_now_and_then,
    simulate_history,
)

START = date(2025, 1, 6)


def log_of(days: int = 90, seed: int = 3, **arguments: object) -> VirtualSeason:
    return simulate_history(
        load_individual("club-runner"),
        days=days,
        seed=seed,
        start=START,
        recordings=False,
        **arguments,  # type: ignore[arg-type]
    )


def test_without_races_it_is_the_season_of_the_environment() -> None:
    season = log_of(policy=lambda states: np.full(states.size, 4), race_every=0)
    environment = gym.make("fitgym/Acquisition-v1", disable_env_checker=True)
    environment.reset(seed=3)
    done = []
    for _ in range(90):
        _, _, _, _, info = environment.step(4)
        done.append(info["done_trimp"])
    np.testing.assert_array_equal(season.load_trimp, done)


def test_performance_follows_from_what_was_done() -> None:
    season = log_of(policy=plans_now_and_then(0.6, first_day=20))
    theta = season.individual.acquisition
    independent = simulate_dynamics(season.load_trimp, False, *theta.to_dict().values())
    np.testing.assert_allclose(season.performance, independent)


def test_the_log_holds_the_points_that_were_done() -> None:
    season = log_of(policy=plans_now_and_then(0.5))
    dates = np.array(season.dates)
    for session in season.history.sessions:
        (day,) = np.flatnonzero(dates == session.date)
        points = float(session_points(session.distance_m, session.minutes, 41.0))
        done = season.load_trimp[day]
        # A mix of three zones has less than its points by its mean speed alone.
        slack = 0.3 if season.races[day] or done <= 20.0 else 0.1 * done
        assert points == pytest.approx(done, abs=slack), (done, session)


def test_races_are_run_at_what_the_person_can_do() -> None:
    season = log_of(race_every=30)
    assert np.flatnonzero(season.races).tolist() == [30, 60]
    from fitgym.model.daniels import vdot

    dates = np.array(season.dates)
    for day in (30, 60):
        (race,) = [s for s in season.history.sessions if s.date == dates[day]]
        assert race.distance_m == pytest.approx(RACE_DISTANCE_M)
        shown = vdot(race.distance_m, race.minutes)
        assert 0.9 * season.performance[day] < shown <= season.performance[day] + 1e-9


def test_recordings_are_those_of_the_log_and_repeat_for_a_seed() -> None:
    pytest.importorskip("torch")
    person = RunnerPopulation().draw(np.random.default_rng([7, 1]))
    first, again = (simulate_history(person, days=60, seed=1, start=START) for _ in range(2))
    assert len(first.history.workouts) == len(first.history.sessions) > 10
    for one, other in zip(first.history.workouts, again.history.workouts, strict=True):
        np.testing.assert_array_equal(one.heart_rate_bpm, other.heart_rate_bpm)
        np.testing.assert_array_equal(one.speed_m_s, other.speed_m_s)
    for workout, session in zip(first.history.workouts, first.history.sessions, strict=True):
        recorded = 10.0 * float(workout.speed_m_s.sum())
        assert recorded == pytest.approx(session.distance_m, rel=0.05)
        assert int(workout.day) == (session.date - date(1970, 1, 1)).days
        assert workout.heart_rate_bpm.max() <= person.physiology.maximum_heart_rate + 4.0


def test_the_mean_heart_rate_is_that_of_the_model() -> None:
    pytest.importorskip("torch")
    person = RunnerPopulation().draw(np.random.default_rng([7, 1]))
    season = simulate_history(
        person, days=60, seed=1, start=START, race_every=0, policy=plans_now_and_then(0.7)
    )
    dates = [(day - date(1970, 1, 1)).days for day in season.dates]
    model = season.outcomes["mean_heart_rate"]
    gaps = [
        workout.heart_rate_bpm.mean() - model[dates.index(int(workout.day))]
        for workout in season.history.workouts
        if len(workout) > 120
    ]
    assert abs(float(np.mean(gaps))) < 1.0
    assert float(np.abs(gaps).max()) < 6.0


def test_the_person_of_a_later_day_goes_on_as_before() -> None:
    """With the same noise a day from the season's state is a day of the person of that day."""
    season = log_of(days=80, policy=plans_now_and_then(0.8), race_every=0)
    task = Task(adherence="fitrec2", days=200)
    before = task.prepare(season.individual)
    for day in (20, 55, 80):
        later = task.prepare(individual_at(season, day))
        assert later.starts["fitness"][0] == season.fitness[day]
        for plan in (0.0, 12.2, 33.0, 48.6):
            found = []
            for person in (before, later):
                state = season.states[day : day + 1].copy()
                outcome = np.zeros(1, dtype=OUTCOME)
                kernel.step(
                    state, outcome, person.record, 0, plan, FITREC2, person.adherence.tables
                )
                found.append([state[name][0] for name in ("base_level", "fitness", "motivation")])
                found[-1].append(outcome["performance"][0])
            np.testing.assert_allclose(found[0], found[1], rtol=1e-9)
    with pytest.raises(ValueError, match="must be of acquisition"):
        individual_at(log_of(days=5, stage="retention"), 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"days": 0}, "days"),
        ({"race_every": -1}, "race_every"),
        ({"start": date(1900, 1, 1)}, "start and days"),
        ({"start": date(2999, 1, 1)}, "start and days"),
        ({"policy": lambda states: np.array([11])}, "action of policy"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate_history(
            load_individual("club-runner"),
            **{"recordings": False, "days": 5, **arguments},  # type: ignore[arg-type]
        )
