from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fitgym.logs.workout import Workout
from fitgym.predictor.recording_statistics import (
    exponential_mean,
    recording_figures,
    recording_table,
    workout_figures,
)
from fitgym.predictor.simulator.heart_rate import TYPICAL
from fitgym.predictor.simulator.workouts import (
    SimulatorConfig,
    draw_virtual_people,
    heart_dynamics_of,
    response_scores,
    simulate_workouts,
)


@pytest.fixture(scope="module")
def figures() -> dict[str, dict[str, tuple[float, ...]]]:
    return recording_figures(simulate_workouts(SimulatorConfig(people=120, workouts=2, seed=5)))


# Published with the real recordings: 10 %, 50 %, 90 % of each figure over workouts. The median of
# the virtual people has to lie well inside, and the spread has to be of the same size.
RECORDED = {
    ("run", "mean"): (134.3, 144.4, 159.9),
    ("run", "sd within"): (7.7, 11.1, 17.4),
    ("run", "first half minute"): (75.1, 92.3, 118.6),
    ("run", "per m/s"): (7.8, 19.3, 29.3),
    ("run", "per log-minute"): (-0.5, 5.1, 11.8),
    ("run", "residual sd"): (2.6, 4.2, 9.2),
    ("run", "residual memory"): (0.73, 0.84, 0.92),
    ("run", "speed (m/s)"): (2.1, 2.8, 3.9),
    ("bike", "mean"): (124.4, 137.5, 158.2),
    ("bike", "sd within"): (8.5, 14.0, 24.2),
    ("bike", "per m/s"): (0.8, 5.4, 9.1),
    ("bike", "speed (m/s)"): (5.6, 7.1, 10.0),
    ("walk", "mean"): (84.8, 106.3, 124.8),
    ("walk", "sd within"): (4.0, 8.0, 17.8),
    ("walk", "speed (m/s)"): (0.67, 0.93, 1.15),
}


@pytest.mark.parametrize(("sport", "name"), RECORDED)
def test_virtual_people_look_like_the_recorded(
    figures: dict[str, dict[str, tuple[float, ...]]], sport: str, name: str
) -> None:
    low, median, high = RECORDED[sport, name]
    drawn_low, drawn_median, drawn_high, _ = figures[sport][name]
    assert low < drawn_median < high
    assert abs(drawn_median - median) < 0.4 * (high - low)
    assert 0.4 < (drawn_high - drawn_low) / (high - low) < 2.5


def test_the_same_seed_gives_the_same_recordings(workouts: list[Workout]) -> None:
    again = simulate_workouts(SimulatorConfig(people=10, workouts=3, longest_steps=48, seed=3))
    for first, second in zip(workouts, again, strict=True):
        np.testing.assert_array_equal(first.heart_rate_bpm, second.heart_rate_bpm)
        np.testing.assert_array_equal(first.speed_m_s, second.speed_m_s)
    other = simulate_workouts(SimulatorConfig(people=10, workouts=3, longest_steps=48, seed=4))
    assert (other[0].heart_rate_bpm[:20] != workouts[0].heart_rate_bpm[:20]).any()


def test_people_are_a_prefix_of_their_recordings(workouts: list[Workout]) -> None:
    population = draw_virtual_people(SimulatorConfig(people=10, workouts=3, seed=3))
    assert list(dict.fromkeys(workout.user for workout in workouts)) == population.users
    days = [workout.day for workout in workouts if workout.user == population.users[0]]
    assert days == sorted(days)
    assert days[0] == 0.0


def test_answers_are_scores_of_the_physiology() -> None:
    population = draw_virtual_people(SimulatorConfig(people=600, seed=1))
    scores = response_scores(population)
    runners = population.main_sports == "run"
    np.testing.assert_allclose(scores[runners].mean(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(scores[runners].std(axis=0), 1.0)
    people = heart_dynamics_of(population.traits, population.main_sports, population.female)
    ceiling = np.corrcoef(scores[runners, 4], people.highest_bpm[runners])[0, 1]
    assert ceiling == pytest.approx(1.0)


def test_the_typical_person_is_in_the_middle() -> None:
    size = 7
    zero = np.zeros((size, 13))
    people = heart_dynamics_of(zero, np.array(["run"] * size), np.zeros(size, dtype=bool))
    assert people.usual_speed_m_s == pytest.approx(TYPICAL["run"].usual_speed_m_s)
    share = (people.usual_bpm - people.lowest_bpm) / (people.highest_bpm - people.lowest_bpm)
    assert share == pytest.approx(TYPICAL["run"].usual_share)


def test_exponential_mean_of_a_step() -> None:
    smooth = exponential_mean(np.concatenate([[0.0], np.ones(20)]), 50.0)
    np.testing.assert_allclose(smooth, 1.0 - np.exp(-0.2 * np.arange(21)), rtol=1e-12)


def test_figures_recover_a_known_workout(workouts: list[Workout]) -> None:
    rng = np.random.default_rng(0)
    speed = 3.0 + 0.5 * np.sin(np.arange(200) / 15.0)
    minutes = np.arange(200) / 6.0
    heart_rate = 80.0 + 20.0 * exponential_mean(speed, 60.0) + 3.0 * np.log1p(minutes)
    workout = Workout(
        identifier="w",
        user="u",
        sport="run",
        gender="unknown",
        day=0.0,
        time_s=10.0 * np.arange(200),
        heart_rate_bpm=heart_rate + 1e-3 * rng.standard_normal(200),
        valid=np.ones(200, dtype=bool),
        speed_m_s=speed,
        altitude_m=np.zeros(200),
        has_altitude=False,
    )
    figures = workout_figures(workout)
    assert figures["lag (s)"] == 60.0
    assert figures["per m/s"] == pytest.approx(20.0, abs=0.01)
    assert figures["per log-minute"] == pytest.approx(3.0, abs=0.01)


@pytest.mark.parametrize("name", ["people", "workouts"])
def test_bad_numbers_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1"):
        replace(SimulatorConfig(), **{name: 0})


def test_a_figure_that_no_workout_has_is_a_dash() -> None:
    sets = {
        "simulated": {"walk": {"per m/s climb": (1.0, 2.0, 3.0, 2.0)}},
        "recorded": {"walk": {"per m/s climb": (np.nan,) * 4}},
    }
    assert "| per m/s climb | 2.00 (1.00 to 3.00) | - |" in recording_table(sets)
