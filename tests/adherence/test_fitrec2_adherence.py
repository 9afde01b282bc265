"""FitRec adherence of version 1: what must hold of hearts, offsets and tables, whoever it is."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from itertools import combinations
from statistics import NormalDist
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import fitgym  # noqa: F401
from fitgym.adherence.fitrec2 import Fitrec2Adherence, find_body_table
from fitgym.adherence.fitrec2_step import body_response, fill_curve
from fitgym.envs.effects import Effect
from fitgym.envs.records import STATE, pack_person
from fitgym.model.plans import plan_segments, session_course
from fitgym.people.individual import DEFAULT_PLANS_TRIMP, Individual, load_individual
from fitgym.people.runners import RUNNERS, RunnerPopulation, hearts

CLUB = load_individual("club-runner")
DRAWN = [RunnerPopulation().draw(np.random.default_rng(seed)) for seed in range(6)]
PEOPLE = [*map(load_individual, RUNNERS), *DRAWN]
# Noise of tolerance with which every plan is completed, whatever its load.
TIRELESS = 60.0
# Loads are kept in single precision.
ROUNDING = 1e-6

people = st.sampled_from(PEOPLE)
targets = st.one_of(
    st.sampled_from(DEFAULT_PLANS_TRIMP), st.floats(0.9, DEFAULT_PLANS_TRIMP[-1], exclude_min=True)
)
histories = st.integers(0, 100)
days_since = st.integers(1, 9)
# Of today's VDOT in terms of the paces'; the nodes lie between 0.65 and 1.4.
fitnesses = st.floats(0.5, 1.6)
noises = st.floats(-4.0, 4.0)


def with_offset(person: Individual, bpm: float) -> Individual:
    physiology = dataclasses.replace(person.physiology, heart_rate_offset=bpm)
    return dataclasses.replace(person, physiology=physiology)


def packed(person: Individual, model: Fitrec2Adherence) -> NDArray[np.void]:
    return pack_person(
        person,
        retention=False,
        days=90,
        completion_bonus=0.3,
        shortfall_penalty=0.02,
        planned_utility=False,
        effect=Effect(),
        log_reference_tolerance=model.log_reference_tolerance,
        heart_rate_sd=model.heart_rate_sd,
    )


def state_at(person: Individual, vdot: float, history: int = 0, days: int = 1) -> NDArray[np.void]:
    """Return a state without fatigue in which the person has a VDOT."""
    theta = person.acquisition
    state = np.zeros(1, dtype=STATE)
    state["base_level"] = theta.initial_base_level
    state["fitness"] = (vdot - theta.baseline_performance) / theta.fitness_utility
    state["history"], state["days_since"] = history, days
    return state


def respond(
    person: Individual, state: NDArray[np.void], target: float, noise: float, heart: float
) -> tuple[float, float, float]:
    """Return share done, internal load and mean heart rate; the heart's noise is in bpm."""
    model = Fitrec2Adherence(person)
    _, share, load, heart_rate = body_response(
        state.view(np.recarray)[0],
        packed(person, model).view(np.recarray)[0],
        target,
        noise,
        heart / model.heart_rate_sd,
        model.tables,
    )
    return share, load, heart_rate


def limit(person: Individual) -> float:
    physiology = person.physiology
    return (physiology.maximum_heart_rate - physiology.resting_heart_rate) / 4.0


def load_from_heart_rates(person: Individual, bpm: Any, minutes: Any, offset: float) -> float:
    """Return Banister's load of a session whose heart beats faster, written out."""
    physiology = person.physiology
    resting, maximum = physiology.resting_heart_rate, physiology.maximum_heart_rate
    weight, exponent = (0.86, 1.67) if physiology.gender == "female" else (0.64, 1.92)
    load = 0.0
    for beat, length in zip(bpm, minutes, strict=True):
        fades = min(max(4.0 * (maximum - beat) / (maximum - resting), 0.0), 1.0)
        strain = (float(beat) + offset * fades - resting) / (maximum - resting)
        strain = min(max(strain, 0.0), 1.0)
        load += length * strain * weight * math.exp(exponent * strain)
    return load


def segments(tables: Any, plan: int) -> tuple[slice, NDArray[np.float64]]:
    """Return where a plan's segments are, and their minutes."""
    part = slice(*tables.first_segments[plan : plan + 2])
    return part, np.diff(tables.segments["minutes"][part], prepend=0.0)


@given(people, targets, histories, days_since, fitnesses, fitnesses, st.floats(-1.0, 1.0))
def test_the_fitter_never_have_the_higher_load(
    person: Individual, target: float, history: int, days: int, one: float, two: float, part: float
) -> None:
    person = with_offset(person, 0.0)
    less, more = sorted((one * person.physiology.vdot, two * person.physiology.vdot))
    # From 0.93 of the largest offset on, its straight line breaks this, by up to 2.5 %.
    heart = 0.85 * part * limit(person)
    loads = [
        respond(person, state_at(person, vdot, history, days), target, TIRELESS, heart)[1]
        for vdot in (less, more)
    ]
    assert loads[1] <= loads[0] * (1.0 + ROUNDING)
    # And so that fitness does count: far apart between the outer nodes.
    lowest, highest = (
        respond(person, state_at(person, ratio * person.physiology.vdot), target, TIRELESS, 0.0)[1]
        for ratio in (1.25, 0.8)
    )
    assert lowest < 0.95 * highest


@given(people, targets, histories, days_since, fitnesses, noises, st.floats(0.0, 80.0))
def test_a_faster_heart_never_lowers_the_load_and_never_helps(
    person: Individual,
    target: float,
    history: int,
    days: int,
    fitness: float,
    noise: float,
    offset: float,
) -> None:
    state = state_at(person, fitness * person.physiology.vdot, history, days)
    usual, faster = (with_offset(person, bpm) for bpm in (0.0, min(offset, 40.0)))
    for tolerance in (noise, TIRELESS):
        share, load, heart_rate = respond(usual, state, target, tolerance, 0.0)
        less, more_load, faster_heart_rate = respond(faster, state, target, tolerance, 0.0)
        assert more_load >= load * (1.0 - ROUNDING)
        assert less <= share + ROUNDING
        # Who stops earlier may stop before the heart is at its fastest.
        if less == share:
            assert faster_heart_rate >= heart_rate - ROUNDING
    assert (less, share) == (1.0, 1.0)


@given(people, targets, histories, days_since, fitnesses, noises, st.floats(-200.0, 200.0))
def test_the_mean_heart_rate_never_passes_the_maximum(
    person: Individual,
    target: float,
    history: int,
    days: int,
    fitness: float,
    noise: float,
    heart: float,
) -> None:
    state = state_at(person, fitness * person.physiology.vdot, history, days)
    for tolerance in (noise, TIRELESS):
        _, _, heart_rate = respond(person, state, target, tolerance, heart)
        assert heart_rate <= person.physiology.maximum_heart_rate


@pytest.mark.parametrize("person", PEOPLE[:6], ids=lambda person: person.name)
def test_interpolation_at_a_node_is_the_node(person: Individual) -> None:
    model = Fitrec2Adherence(person)
    table = find_body_table(
        person.plans_trimp, dataclasses.replace(person.physiology, heart_rate_offset=0.0)
    )
    vdot = person.physiology.vdot
    ends = [(1.4 * vdot) ** -2, (0.65 * vdot) ** -2]
    loads, beats = np.zeros((2, model.tables.segments.size))
    # Plan 3 done to half, plan 10 whole, each yesterday or earlier.
    rows = {0: (0, 1), 25: (1 + (2 * 3 + 1) * 2, 1), 100: (1 + (9 * 3 + 2) * 2 + 1, 4)}
    for node in range(6):
        at_node = (ends[0] + node / 5 * (ends[1] - ends[0])) ** -0.5
        for history, (row, days) in rows.items():
            state = state_at(person, at_node, history, days)
            fill_curve(
                state.view(np.recarray)[0],
                packed(person, model).view(np.recarray)[0],
                model.tables,
                loads,
                beats,
            )
            for plan in (0, 4, 9):
                part, minutes = segments(model.tables, plan)
                bpm = table.heart_rate_bpm[node, row, part].astype(float)
                assert beats[part][-1] == pytest.approx(float(bpm @ minutes), rel=ROUNDING)
                expected = load_from_heart_rates(person, bpm, minutes, 0.0)
                assert loads[part][-1] == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize("person", PEOPLE[:6], ids=lambda person: person.name)
def test_load_slopes_are_finite_differences_of_the_load(person: Individual) -> None:
    tables = Fitrec2Adherence(person).tables
    table = find_body_table(
        person.plans_trimp, dataclasses.replace(person.physiology, heart_rate_offset=0.0)
    )
    for node in range(6):
        for plan in range(10):
            part, minutes = segments(tables, plan)
            bpm = table.heart_rate_bpm[node, 0, part].astype(float)
            logs = {
                offset: math.log(load_from_heart_rates(person, bpm, minutes, offset))
                for offset in (-5.0, -0.5, 0.5, 5.0)
            }
            slope = tables.load_slopes[0, node, plan]
            assert slope == pytest.approx((logs[5.0] - logs[-5.0]) / 10.0, rel=1e-9)
            # And so of the tangent, if the log of the load is nearly straight.
            assert slope == pytest.approx(logs[0.5] - logs[-0.5], rel=0.1)


def test_a_shipped_table_equals_direct_calls_of_the_network() -> None:
    pytest.importorskip("torch")
    from fitgym.predictor.attributes import Attributes
    from fitgym.predictor.fitrec2.inference import load_body_predictor
    from fitgym.predictor.sessions import PreviousWorkout, Session

    network = load_body_predictor()
    physiology = CLUB.physiology
    table = find_body_table(CLUB.plans_trimp, physiology)
    tables = Fitrec2Adherence(CLUB).tables
    ends = [(1.4 * 41.0) ** -2, (0.65 * 41.0) ** -2]
    courses = [session_course(plan_segments(target), 41.0) for target in CLUB.plans_trimp]

    def session(plan: int, steps: int | None = None) -> Session:
        speed = courses[plan].speed_m_s[:steps]
        return Session(speed, np.zeros(speed.size), gender=physiology.gender)

    # Node, plan, row, and the last plan, the share of it done, and the days since.
    for node, plan, row, last in (
        (0, 4, 0, None),
        (5, 9, 0, None),
        (2, 4, 1 + (4 * 3 + 2) * 2, (4, 1.0, 1)),
        (3, 7, 1 + (9 * 3 + 1) * 2 + 1, (9, 0.5, 3)),
        (1, 1, 1 + (6 * 3 + 0) * 2, (6, 0.2, 1)),
    ):
        vdot = (ends[0] + node / 5 * (ends[1] - ends[0])) ** -0.5
        body = Attributes(
            resting_bpm=physiology.resting_heart_rate,
            maximum_bpm=physiology.maximum_heart_rate,
            vdot=vdot,
        )
        history = None
        if last is not None:
            before, share, days = last
            done = np.cumsum(courses[before].points)
            steps = int(np.argmax(done >= share * done[-1] - 1e-9)) + 1
            (alone,) = network.predict([session(before)], [None], [body])
            history = PreviousWorkout(session(before, steps), alone[:steps], days)
        (answer,) = network.predict([session(plan)], [history], [body])
        part, minutes = segments(tables, plan)
        # Means over the seconds of each segment.
        ends_s = np.cumsum(courses[plan].duration_s)
        of_segment = np.searchsorted(np.cumsum(minutes) * 60.0, ends_s - 1e-6)
        weights = np.bincount(of_segment, courses[plan].duration_s)
        means = np.bincount(of_segment, courses[plan].duration_s * answer) / weights
        # Half precision has an eighth of a bpm between numbers from 128 to 256.
        np.testing.assert_allclose(table.heart_rate_bpm[node, row, part], means, atol=0.07)


def season(env_id: str, person: Individual) -> list[tuple[float, float, float]]:
    env = gym.make(env_id, individual=person)
    env.reset(seed=3)
    env.action_space.seed(3)
    rows = []
    for _ in range(90):
        _, reward, _, _, info = env.step(env.action_space.sample())
        rows.append((float(reward), info["internal_load"], info["mean_heart_rate"]))
    return rows


@pytest.mark.parametrize("kind", ["Acquisition", "RetentionContinuous"])
def test_the_lasting_offset_changes_version_1_alone(kind: str) -> None:
    person = load_individual("recreational-runner")
    faster = with_offset(person, 25.0)
    assert season(f"fitgym/{kind}-v0", faster) == season(f"fitgym/{kind}-v0", person)
    club = with_offset(CLUB, 25.0)
    assert season(f"fitgym/{kind}-v1", club) != season(f"fitgym/{kind}-v1", CLUB)


def mean_completion(person: Individual, stage: str, plan: int, episodes: int) -> float:
    """Return how often a plan is completed on the first day."""
    envs = gym.make_vec(
        f"fitgym/{stage}-v1",
        num_envs=episodes,
        vectorization_mode="vector_entry_point",
        individual=person,
        days=1,
    )
    envs.reset(seed=11)
    *_, infos = envs.step(np.full(episodes, plan))
    return float(np.mean(infos["met"]))


def test_people_with_equal_base_levels_and_different_hearts_complete_differently() -> None:
    shares = [mean_completion(with_offset(CLUB, bpm), "Acquisition", 5, 2000) for bpm in (-12, 12)]
    assert shares[0] > shares[1] + 0.1
    # Two hearts of the population, whose paces are nearly the same.
    one, two = hearts()[0], hearts()[11]
    assert abs(one.vdot - two.vdot) < 1.0
    shares = [
        mean_completion(dataclasses.replace(CLUB, physiology=heart), "Acquisition", 5, 2000)
        for heart in (one, two)
    ]
    assert abs(shares[0] - shares[1]) > 0.1


def test_copies_and_people_with_the_same_heart_share_tables() -> None:
    env = gym.make("fitgym/Acquisition-v1").unwrapped
    env.reset(seed=0)
    twin, pickled = copy.deepcopy(env), pickle.dumps(env)
    # The table alone would take megabytes.
    assert len(pickled) < 100_000 < env.adherence.tables.loads.nbytes
    for other in (twin, pickle.loads(pickled)):
        assert other.adherence.tables.loads is env.adherence.tables.loads
        assert other.adherence.tables.load_slopes is env.adherence.tables.load_slopes
        assert other.step(5)[1] == copy.deepcopy(env).step(5)[1]
    offset = Fitrec2Adherence(with_offset(CLUB, 12.0))
    assert offset.tables.loads is env.adherence.tables.loads
    assert offset.tables_key == env.adherence.tables_key


def test_the_other_predictors_work_and_differ(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    tables = {"fitrec2": Fitrec2Adherence(CLUB).tables}
    for predictor in ("equation", "linear", "stranger"):
        if predictor == "stranger":
            pytest.importorskip("torch")
        env = gym.make("fitgym/Acquisition-v1", predictor=predictor).unwrapped
        env.reset(seed=0)
        info = env.step(5)[4]
        assert 60.0 < info["mean_heart_rate"] < 185.0
        assert info["internal_load"] > 0.0
        tables[predictor] = env.adherence.tables
    loads = {name: one.loads[0, :: one.loads.shape[1] // 6] for name, one in tables.items()}
    ends = tables["fitrec2"].first_segments[1:] - 1
    # The stranger's VDOT is not known, so all nodes are the same; the others' loads fall with it.
    for name in ("stranger", "linear"):
        assert np.all(loads[name] == loads[name][0])
    for name in ("fitrec2", "equation"):
        assert np.all(np.diff(loads[name][:, ends], axis=0) > 0.0)
    for one, two in combinations(loads, 2):
        assert not np.allclose(loads[one][:, ends], loads[two][:, ends], rtol=0.01)
    with pytest.raises(ValueError, match="predictor must be one of 'fitrec2', 'equation', 'lin"):
        Fitrec2Adherence(CLUB, "crystal ball")


@pytest.mark.parametrize("stage", ["Acquisition", "Retention"])
def test_people_of_the_population_start_where_their_habit_keeps_them(stage: str) -> None:
    changes = []
    for person in DRAWN:
        envs = gym.make_vec(
            f"fitgym/{stage}-v1",
            num_envs=200,
            vectorization_mode="vector_entry_point",
            individual=person,
        )
        _, infos = envs.reset(seed=5)
        theta = person.stage(stage.lower())
        start = (
            theta.baseline_performance
            + theta.fitness_utility * theta.initial_fitness
            - theta.fatigue_utility * theta.initial_fatigue
        )
        for _ in range(90):
            *_, infos = envs.step(np.zeros(200, dtype=int))
        changes.append(float(np.mean(infos["performance"])) / start - 1.0)
    assert all(abs(change) < 0.01 for change in changes), changes


@pytest.mark.parametrize("stage", ["Acquisition", "Retention"])
def test_the_club_runner_completes_the_fifth_plan_on_the_first_day(stage: str) -> None:
    # With 40,000 days the standard error is 0.0025.
    assert mean_completion(CLUB, stage, 5, 40_000) == pytest.approx(0.55, abs=0.01)


@pytest.mark.parametrize("stage", ["acquisition", "retention"])
def test_completion_on_the_first_day_is_the_closed_form(stage: str) -> None:
    # ln C and ln L are normal on the first day, so the probability is a normal one.
    model, theta, traits = Fitrec2Adherence(CLUB), CLUB.stage(stage), CLUB.motivation
    tables = model.tables
    node_step = (0.65**-2 - 1.4**-2) / 5
    place = (1.0 - 1.4**-2) / node_step
    node, part = int(place), place % 1.0
    rows, last = tables.loads.shape[1] // 6, tables.first_segments[5] - 1
    whole = [float(tables.loads[0, rows * one, last]) for one in (node, node + 1)]
    slopes = tables.load_slopes[0, node : node + 2, 4]
    load = whole[0] + part * (whole[1] - whole[0])
    slope = float(slopes[0] + part * (slopes[1] - slopes[0]))
    form = theta.baseline_performance + theta.fitness_utility * theta.initial_fitness
    fatigue = traits.fatigue_effect * theta.fatigue_utility * theta.initial_fatigue / form
    mean = model.log_reference_tolerance - fatigue - math.log(load)
    sd = math.hypot(traits.tolerance_sd, traits.initial_motivation_sd, slope * model.heart_rate_sd)
    expected = NormalDist().cdf(mean / sd)
    # Four standard errors.
    found = mean_completion(CLUB, stage.capitalize(), 5, 40_000)
    assert found == pytest.approx(expected, abs=0.01)
