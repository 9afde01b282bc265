"""Profiles: from much and from little, usable as individuals, and written and read."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from histories import START, log_of

import fitgym  # noqa: F401
from fitgym.logs.history import History
from fitgym.profile import Given, Profile, PushedPlans, profile_from, read_profile
from fitgym.profile.course import replay
from fitgym.profile.page import profile_page
from fitgym.profile.summary import profile_text
from fitgym.virtual.season import VirtualSeason

THREE = log_of((0, 6.2, 38.0), (3, 8.1, 49.0), (5, 5.4, 32.0))


@pytest.fixture(scope="session")
def profile(season: VirtualSeason, plans: PushedPlans) -> Profile:
    gender = season.individual.physiology.gender
    return profile_from(season.history, plans=plans, given=Given(gender=gender))


def test_a_season_identifies_what_it_shows(profile: Profile, season: VirtualSeason) -> None:
    truth = season.individual
    day = profile.today - season.start
    vdot = profile.estimate("vdot")
    assert vdot.verdict == "identified"
    assert vdot.value == pytest.approx(season.performance[day.days], rel=0.05)
    assert profile.estimate("maximum_heart_rate").value == pytest.approx(
        truth.physiology.maximum_heart_rate, abs=5.0
    )
    assert profile.estimate("base_level").value == pytest.approx(
        season.base_level[day.days], rel=0.1
    )
    assert profile.estimate("fitness_exponent").verdict == "borrowed"
    for one in profile.estimates:
        assert one.low <= one.value <= one.high, one.name


def test_the_individual_begins_where_the_history_ends(profile: Profile) -> None:
    theta = profile.individual.acquisition
    now = (
        theta.baseline_performance
        + theta.fitness_utility * theta.initial_fitness
        - theta.fatigue_utility * theta.initial_fatigue
    )
    assert now == pytest.approx(profile.state.vdot, rel=1e-9)
    course = replay(profile.start, profile.points)
    assert course.fitness[-1] == pytest.approx(theta.initial_fitness)
    assert course.fatigue[-1] == pytest.approx(theta.initial_fatigue)
    assert course.vdot[-1] == pytest.approx(profile.state.vdot)
    assert course.base_level[-1] == pytest.approx(theta.initial_base_level, rel=0.05)


def test_tolerance_is_anchored_at_todays_base_level(profile: Profile) -> None:
    from scipy.special import ndtri

    from fitgym.adherence.fitrec2 import TOLERATED_PER_POINT

    individual = profile.individual
    motivation = individual.motivation
    margin = ndtri(motivation.reference_completion) - ndtri(0.55)
    tolerated = TOLERATED_PER_POINT * individual.acquisition.initial_base_level
    tolerated *= np.exp(motivation.tolerance_sd * margin)
    assert tolerated == pytest.approx(profile.estimate("tolerance").value, rel=0.05)


@pytest.mark.parametrize("env_id", ["fitgym/Acquisition-v1", "fitgym/Retention-v1"])
def test_an_environment_takes_the_individual(profile: Profile, env_id: str) -> None:
    environment = gym.make(env_id, individual=profile.individual)
    observation, _ = environment.reset(seed=0)
    assert environment.observation_space.contains(observation)
    for action in (3, 0, 5):
        observation, reward, *_ = environment.step(action)
        assert np.isfinite(reward)


def test_a_profile_is_written_and_read_back(profile: Profile, tmp_path: Path) -> None:
    path = tmp_path / "me.json"
    profile.to_file(path)
    again = read_profile(path)
    assert json.loads(json.dumps(again.to_dict())) == json.loads(path.read_text())
    assert again.individual == profile.individual
    assert again.dates == profile.dates
    path.write_text('{"format": 0}')
    with pytest.raises(ValueError, match="format"):
        read_profile(path)
    path.write_text('{"format": 1}')
    with pytest.raises(ValueError, match="this is no profile"):
        read_profile(path)


def test_the_correction_helps_on_held_out_workouts(profile: Profile) -> None:
    heart = profile.heart
    assert heart is not None
    assert heart.error_bpm is not None
    assert heart.error_alone_bpm is not None
    assert heart.error_bpm < heart.error_alone_bpm
    assert all(one.earlier >= 1 for one in heart.held_out)


def test_three_sessions_of_a_log_are_enough() -> None:
    profile = profile_from(THREE)
    assert profile.today == START + timedelta(days=6)
    assert profile.summary.sessions == 3
    assert profile.heart is None
    assert "borrowed" in profile_text(profile)
    borrowed = {one.name for one in profile.estimates if one.verdict == "borrowed"}
    assert {"fitness_days", "maximum_heart_rate", "heart_rate_offset"} <= borrowed
    assert any("No recording with heart rate" in note for note in profile.summary.borrowed)


def test_one_recording_without_a_log_is_enough(season: VirtualSeason) -> None:
    profile = profile_from(History((), season.history.workouts[:1]))
    assert profile.summary.sessions == 1
    assert profile.heart is not None
    assert profile.heart.held_out == ()
    assert profile.estimate("heart_rate_offset").verdict != "borrowed"


def test_what_is_told_counts_as_known() -> None:
    told = profile_from(THREE, given=Given(resting=48.0, maximum=191.0, vdot=52.0))
    physiology = told.individual.physiology
    assert physiology.resting_heart_rate == pytest.approx(48.0, abs=1.0)
    assert physiology.maximum_heart_rate == pytest.approx(191.0, abs=1.0)
    assert physiology.vdot == 52.0
    assert told.estimate("maximum_heart_rate").verdict == "given"
    assert told.state.vdot == pytest.approx(52.0, rel=0.05)


def test_rest_lets_fatigue_and_fitness_fall() -> None:
    history = log_of(*[(day, 9.1, 52.0) for day in range(0, 60, 2)])
    soon, late = (
        profile_from(history, today=START + timedelta(days=60 + days)) for days in (0, 30)
    )
    assert late.state.fatigue < 0.1 * soon.state.fatigue
    assert late.state.fitness < soon.state.fitness
    assert late.state.base_level < soon.state.base_level
    assert late.state.days_since == soon.state.days_since + 30


def test_the_same_history_gives_the_same_profile() -> None:
    shuffled = History(tuple(reversed(THREE.sessions)))
    assert profile_from(THREE).to_dict() == profile_from(shuffled).to_dict()


def test_a_log_of_many_sessions_gets_plans_of_its_own() -> None:
    generator = np.random.default_rng(0)
    rows = [
        (2 * i, float(km), 6.0 * float(km)) for i, km in enumerate(generator.uniform(4, 22, 130))
    ]
    grid = profile_from(log_of(*rows)).individual.plans_trimp
    assert len(grid) == 10
    assert grid[0] < grid[-1] <= 200.0


def test_without_a_usable_session_the_error_names_the_remedy() -> None:
    for history in (History(()), History((replace(THREE.sessions[0], minutes=float("nan")),))):
        with pytest.raises(ValueError, match="no run with distance and time: give a log or"):
            profile_from(history)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Given(resting=20.0), "resting"),
        (Given(maximum=90.0), "maximum"),
        (Given(resting=100.0, maximum=130.0), "at least 40 bpm above resting"),
        (Given(gender="x"), "gender"),
        (Given(age=300.0), "age"),
        (Given(vdot=5.0), "vdot"),
    ],
)
def test_wrong_attributes_are_named(given: Given, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        profile_from(THREE, given=given)


def test_the_page_needs_nothing_from_elsewhere(profile: Profile) -> None:
    for one in (profile, profile_from(THREE)):
        page = profile_page(one)
        for forbidden in ("http://", "https://", "<script", "<link", "@import", "url(", "nan"):
            assert forbidden not in page, forbidden
        for words in ("CTL", "ATL", "TSB", "acute:chronic", "borrowed", "not medical advice"):
            assert words in page
    assert "measured" in profile_page(profile)


def test_a_log_alone_needs_no_torch() -> None:
    program = (
        "import sys, datetime\n"
        "from fitgym.logs import History, LoggedSession\n"
        "from fitgym.profile import profile_from\n"
        "day = datetime.date(2025, 1, 6)\n"
        "print(profile_from(History((LoggedSession(day, 8000.0, 48.0),))).state.date)\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "2025-01-07"
