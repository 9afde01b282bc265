"""The coach's program beside the reference one, which knows no constraints."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from coached_people import SMALL, TODAY

from fitgym.coach.advice import advise
from fitgym.coach.goals import Goal, parse_goal
from fitgym.coach.person import MOTIVATIONS, Coached, environment_of, normal_belief
from fitgym.coach.program import SeasonProgram
from fitgym.coach.seasons import fixed_choice, play
from fitgym.planning.dynamic_programming import DynamicProgram
from fitgym.planning.grid import GridSize, hat_weights
from fitgym.planning.rules import rule_of_thumb

_SIZE = GridSize(base_level=4, fitness=4, fatigue=5, motivation=9, shares=3, habits=3)


def test_without_constraints_it_is_the_reference_program(coached: Coached) -> None:
    program = SeasonProgram(coached, coached.morning, 20, size=_SIZE).solve(cache=False)
    made = gym.make(
        "fitgym/Acquisition-v1", individual=coached.individual, days=20, disable_env_checker=True
    )
    environment = made.unwrapped
    scouted = play(environment, np.repeat(coached.morning.state(), 4), 20, fixed_choice(4)).states
    limits = np.array([[axis[0], axis[-1]] for axis in program.axes])
    reference = DynamicProgram(environment, _SIZE, scouted.ravel(), limits)  # type: ignore[arg-type]
    # Both take the same histories for typical.
    reference._mean_loads = program._mean_loads
    reference.induce()
    np.testing.assert_allclose(program.values[:, 0], reference.values, rtol=1e-4, atol=1e-4)
    state = coached.morning.state()
    np.testing.assert_allclose(
        program.plan_values(state, np.zeros(1, dtype=np.int64)),
        reference.plan_values(state),
        rtol=1e-5,
    )


def test_the_environment_is_that_of_version_1(coached: Coached) -> None:
    ours = environment_of(coached.individual)
    made = gym.make(
        "fitgym/Acquisition-v1", individual=coached.individual, disable_env_checker=True
    )
    assert ours.person == made.unwrapped.person  # type: ignore[attr-defined]


def test_a_race_is_tapered_for(coached: Coached) -> None:
    """Before a race fatigue is let go: the last days ask for less than those before."""
    goal = Goal("race", "2026-04-06")
    program = SeasonProgram(coached, coached.morning, 35, goal).solve(cache=False)
    generator = np.random.default_rng(0)
    starts = np.repeat(coached.morning.state(), 200)
    starts["key"] = generator.integers(0, 2**64, 200, dtype=np.uint64)
    played = play(program.environment, starts, 35, program._known_motivation)
    asked = program.targets[played.actions].mean(axis=1)
    assert asked[-3:].mean() < 0.6 * asked[10:30].mean()
    other = SeasonProgram(coached, coached.morning, 35).solve(cache=False)
    everyday = play(program.environment, starts, 35, other._known_motivation)
    final = [one.outcomes["performance"][-1].mean() for one in (played, everyday)]
    assert final[0] > final[1]


def test_health_asks_for_sessions_that_are_managed(coached: Coached) -> None:
    program = SeasonProgram(coached, coached.morning, 30, Goal("health"), size=SMALL)
    program.solve(cache=False)
    found = advise(program, coached.morning, coached.loads, 0)
    assert found.today.minutes >= 30.0
    assert found.today.chance > 0.95


def test_what_is_kept_is_read_again(
    coached: Coached, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fitgym.common.cache.cache_folders", lambda: iter([tmp_path]))
    made = SeasonProgram(coached, coached.morning, 10, size=SMALL).solve()
    monkeypatch.setattr(SeasonProgram, "_solve", lambda self: pytest.fail("solved again"))
    again = SeasonProgram(coached, coached.morning, 10, size=SMALL).solve()
    np.testing.assert_array_equal(again.values, made.values)
    state, waits = coached.morning.state(), np.zeros(1, dtype=np.int64)
    np.testing.assert_array_equal(again.plan_values(state, waits), made.plan_values(state, waits))


def test_chances_sum_to_one_and_rise_with_motivation(coached: Coached) -> None:
    program = SeasonProgram(coached, coached.morning, 10, size=SMALL)
    chances = program.chances(coached.morning.state())
    np.testing.assert_allclose(chances.sum(axis=1), 1.0)
    assert (np.diff(chances[:, -1], axis=1) >= 0.0).all()
    assert (np.diff(chances[:, -1], axis=0) <= 1e-12).all()


def test_beliefs_are_normal() -> None:
    belief = normal_belief(0.1, 0.25)
    assert belief.sum() == pytest.approx(1.0)
    assert belief @ MOTIVATIONS == pytest.approx(0.1, abs=1e-6)
    assert np.square(MOTIVATIONS - 0.1) @ belief == pytest.approx(0.25**2, rel=0.01)
    assert hat_weights(MOTIVATIONS, np.zeros(1)).sum() == pytest.approx(1.0)


def test_the_rule_builds_up_and_tapers() -> None:
    plans = rule_of_thumb(np.arange(90), 90)
    assert set(plans[:15]) == set(plans[-20:]) == {2}
    assert plans[15] == plans[19] == 10
    assert plans[16] == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("weight", "nothing of weight"),
        ("health@2026-04-01", "goal must be"),
        ("performance@soon", "'soon'"),
        ("performance@2026-03-02", "is not after"),
        ("performance@2028-03-02", "at most 365"),
    ],
)
def test_impossible_goals_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_goal(text, TODAY)


def test_goals_are_read() -> None:
    assert str(parse_goal("performance@2026-05-01", TODAY)) == "performance@2026-05-01"
    assert parse_goal("health", TODAY) == Goal("health")
