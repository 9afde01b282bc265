from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitgym.predictor.ode import OdePredictor
from fitgym.predictor.simulator.heart_rate import (
    HeartDynamics,
    carry_over,
    climb_rate,
    demand,
    heart_rate_response,
    internal_load,
)
from fitgym.predictor.simulator.workouts import (
    SimulatorConfig,
    draw_virtual_people,
    heart_dynamics_of,
)


def typical(**changes: float) -> HeartDynamics:
    person = OdePredictor(60.0, 190.0).heart_dynamics("run", 1)
    values = {field.name: getattr(person, field.name) for field in fields(HeartDynamics)}
    return HeartDynamics(**(values | {name: np.array([value]) for name, value in changes.items()}))


def test_response_follows_the_differential_equation() -> None:
    """Against Euler's method with steps a hundred times finer."""
    person = typical(demand_rate=1.5, response_rate=4.0)
    wanted = np.where(np.arange(600) < 300, 160.0, 110.0)
    heart_rate = heart_rate_response(person, wanted[None, :], np.array([90.0]))[0]
    low, high = person.lowest_bpm[0], person.highest_bpm[0]
    hr = d = 90.0
    fine = []
    for target in wanted:
        fine.append(hr)
        for _ in range(100):
            rate = 4.0 * ((hr - low) / 60) ** 0.4 * ((high - hr) / 60) ** 0.4
            hr, d = hr + rate * (d - hr) / 60 / 100, d + 1.5 * (target - d) / 60 / 100
    np.testing.assert_allclose(heart_rate, fine, atol=0.5)
    # Where it has settled, both are at the demand.
    assert heart_rate[299] == pytest.approx(160.0, abs=1.5)
    assert heart_rate[-1] == pytest.approx(110.0, abs=1.5)


@given(st.integers(0, 10**6))
def test_heart_rate_stays_between_its_ends(seed: int) -> None:
    rng = np.random.default_rng(seed)
    population = draw_virtual_people(SimulatorConfig(people=20, seed=seed))
    people = heart_dynamics_of(population.traits, population.main_sports, population.female)
    speed = rng.uniform(0.0, 12.0, (20, 60))
    climb = rng.normal(0.0, 0.5, (20, 60))
    wanted = demand(people, speed, climb, rng.normal(0.0, 20.0, 20))
    assert (wanted <= people.highest_bpm[:, None] + 1e-9).all()
    heart_rate = heart_rate_response(people, wanted, people.lowest_bpm + 10.0)
    assert (heart_rate >= people.lowest_bpm[:, None] - 1e-6).all()
    assert (heart_rate <= people.highest_bpm[:, None] + 1e-9).all()


def test_demand_at_the_usual_speed_and_standing() -> None:
    person = typical(drift=0.0)
    speed = np.array([[0.0, person.usual_speed_m_s[0]]])
    wanted = demand(person, speed, np.zeros((1, 2)), np.zeros(1))[0]
    assert wanted == pytest.approx([person.standing_bpm[0], person.usual_bpm[0]], abs=0.01)


def test_demand_rises_with_speed_climb_and_time() -> None:
    person = typical()
    flat = np.zeros((1, 200))
    slow, fast = (demand(person, np.full((1, 200), v), flat, np.zeros(1)) for v in (2.5, 3.5))
    steep = demand(person, np.full((1, 200), 2.5), flat + 0.1, np.zeros(1))
    down = demand(person, np.full((1, 200), 2.5), flat - 0.1, np.zeros(1))
    assert (fast > slow).all()
    assert (steep > slow).all()
    assert (down < slow).all()
    assert (np.diff(slow[0]) > 0.0).all()


def test_climb_rate() -> None:
    np.testing.assert_allclose(climb_rate(np.array([[5.0, 6.0, 4.0]])), [[0.0, 0.1, -0.2]])


def test_internal_load_of_a_constant_heart_rate() -> None:
    """Thirty minutes at half the reserve: 30 * 0.5 * 0.64 * exp(1.92 * 0.5)."""
    person = typical()
    load = internal_load(person, np.full((1, 180), 125.0))[0]
    assert load[-1] == pytest.approx(30 * 0.5 * 0.64 * np.exp(0.96))
    assert load[89] == pytest.approx(load[-1] / 2)


def test_carry_over_grows_with_load_and_fades() -> None:
    person = typical(carry_over_bpm=0.05, recovery_days=2.0)
    at_once = carry_over(person, np.array([100.0]), np.array([0.0]))
    later = carry_over(person, np.array([100.0]), np.array([2.0]))
    assert at_once == pytest.approx([5.0])
    assert later == pytest.approx([5.0 / np.e])
    assert carry_over(person, np.array([0.0]), np.array([0.0])) == pytest.approx([0.0])
