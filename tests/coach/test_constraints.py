"""Constraints are kept by every plan, today's and those to come, for anybody and any history."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from coached_people import SMALL, TODAY, profile_of
from fuzzing import examples
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fitgym.coach.advice import Advice, advise
from fitgym.coach.constraints import (
    Constraints,
    calendar_mask,
    parse_injured,
    parse_weekdays,
    plan_minutes,
    ratio_with,
    wait_after,
    within_cap,
)
from fitgym.coach.goals import Goal
from fitgym.coach.person import Coached, coached_of
from fitgym.coach.program import SeasonProgram
from fitgym.model.strain import workload_ratio
from fitgym.people.individual import DEFAULT_PLANS_TRIMP
from fitgym.people.runners import RunnerPopulation

_LOADS = st.lists(st.one_of(st.just(0.0), st.floats(1.0, 60.0)), min_size=1, max_size=40).map(tuple)


@st.composite
def constraints(draw: st.DrawFn) -> Constraints:
    return Constraints(
        free=tuple(draw(st.sets(st.integers(0, 6), min_size=1))),
        busy=tuple(draw(st.sets(st.sampled_from(["2026-03-03", "2026-03-05", "2026-03-14"])))),
        injured=draw(st.sampled_from([(), (("2026-03-04", "2026-03-11"),)])),
        hard_gap=draw(st.integers(0, 3)),
        hard_trimp=draw(st.one_of(st.none(), st.floats(5.0, 40.0))),
        acwr=draw(st.one_of(st.none(), st.floats(1.0, 2.5))),
        longest_minutes=draw(st.one_of(st.none(), st.floats(20.0, 110.0))),
        least_chance=draw(st.sampled_from([0.0, 0.5, 0.9])),
    )


def has_time(kept: Constraints, day: str) -> bool:
    injured = any(first <= day <= last for first, last in kept.injured)
    weekday = date.fromisoformat(day).weekday()
    return weekday in kept.free and day not in kept.busy and not injured


def broken(advice: Advice, kept: Constraints, loads: tuple[float, ...], wait: int) -> list[str]:
    """Return which constraints an answer breaks, by a reading of its own."""
    found = []
    asked, expected = list(loads), list(loads)
    since_hard = 10_000 if wait == 0 else kept.hard_gap - wait
    for day in advice.outlook:
        if day.plan:
            if not has_time(kept, day.date):
                found.append(f"{day.date} is not free")
            if kept.longest_minutes is not None and day.minutes > kept.longest_minutes + 1e-6:
                found.append(f"{day.date} is too long")
            if day.chance < kept.least_chance:
                found.append(f"{day.date} is completed with {day.chance}")
            is_hard = day.trimp >= advice.hard_trimp
            if is_hard and since_hard < kept.hard_gap:
                found.append(f"{day.date} is hard too soon")
            since_hard = 0 if is_hard else since_hard + 1
            if kept.acwr is not None:
                for before in (asked, expected):
                    # A constant start stands for the days before those that are known.
                    ratio = float(workload_ratio([*before, day.trimp][-200:])[-1])
                    if ratio > kept.acwr + 1e-6:
                        found.append(f"{day.date} has ratio {ratio}")
            # What the page shows is what was checked.
            for shown, before in ((day.ratio, asked), (day.expected_ratio, expected)):
                if kept.acwr is not None and shown > kept.acwr + 1e-6:
                    found.append(f"{day.date} shows {shown} after {before[-7:]}")
        else:
            since_hard += 1
            if not has_time(kept, day.date) and day.expected_trimp > 0.0:
                found.append(f"{day.date} has no time, and {day.expected_trimp} are expected")
        asked.append(day.trimp if day.plan else day.expected_trimp)
        expected.append(day.expected_trimp)
    return found


def gained_by_a_plan(program: SeasonProgram, person: Coached, free: list[bool]) -> float:
    """Return what the best plan of the first free day is worth beyond none, as one stands now.

    Where only sessions shorter than one's own are allowed, no plan may be the best.
    """
    day = free.index(True)
    state, belief = person.morning.state(day), np.array([person.morning.belief])
    worth = program.worth(state, belief, np.zeros(1, dtype=np.int64))[0]
    return float(worth[program.mask[day]].max() - worth[0])


@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@example(
    seed=1,
    loads=(0.0,),
    kept=Constraints(free=(1,), longest_minutes=20.0),
    kind="health",
    policy="belief",
)
@given(
    seed=st.integers(0, 1000),
    loads=_LOADS,
    kept=constraints(),
    kind=st.sampled_from(["performance", "race", "health"]),
    policy=st.sampled_from(["belief", "dp", "coach"]),
)
def test_no_constraint_is_ever_broken(
    seed: int, loads: tuple[float, ...], kept: Constraints, kind: str, policy: str
) -> None:
    individual = RunnerPopulation().draw(np.random.default_rng(seed))
    person = coached_of(profile_of(individual, loads))
    goal = Goal(kind, "2026-03-18" if kind == "race" else "")
    asked = np.zeros(len(loads)) + np.array(loads)
    hard = kept.hard_trimp or person.morning.base_level
    wait = wait_after(kept, hard, asked.tolist())
    try:
        program = SeasonProgram(person, person.morning, 16, goal, kept, SMALL).solve(cache=False)
        answer = advise(program, person.morning, loads, wait, policy=policy)
    except ValueError as error:
        refusal = str(error)
    else:
        assert broken(answer, kept, loads, wait) == []
        assert answer.candidates[answer.plan].forbidden == ""
        assert (
            any(day.plan for day in answer.outlook)
            or not all(one.forbidden for one in answer.candidates[1:])
            or gained_by_a_plan(program, person, [day.free for day in answer.outlook]) < 0.1
        )
        refusal = "free"
    # What is refused names the constraint that leaves nothing.
    assert any(word in refusal for word in ("free", "minutes", "ratio", "hard", "likely"))


def test_the_values_know_the_constraints(coached: object) -> None:
    """A season under constraints is worth less, and never more, than without."""

    assert isinstance(coached, Coached)
    worths = []
    for kept in (
        Constraints(),
        Constraints(hard_gap=1, hard_trimp=12.0),
        Constraints(hard_gap=3, hard_trimp=12.0),
        Constraints(free=(0, 3)),
        Constraints(free=(0,), hard_gap=1),
        Constraints(least_chance=0.9),
    ):
        program = SeasonProgram(coached, coached.morning, 30, Goal(), kept, SMALL)
        program.solve(cache=False)
        state, belief = coached.morning.state(), np.array([coached.morning.belief])
        worths.append(program.worth(state, belief, np.zeros(1, dtype=np.int64)).max())
    assert worths[0] > worths[1] >= worths[2]
    assert worths[0] > worths[3] > worths[4]
    assert worths[0] > worths[5]


def test_days_without_time_are_rest(coached: object) -> None:
    """An injured week is expected to go as a week in which nothing is done, and is worth less."""
    from fitgym.coach.tracking import DayDone, Tracker, replay_days

    assert isinstance(coached, Coached)
    worths = []
    for injured in ((), (("2026-03-02", "2026-03-08"),)):
        kept = Constraints(injured=injured)
        program = SeasonProgram(coached, coached.morning, 20, Goal(), kept, SMALL)
        found = advise(program.solve(cache=False), coached.morning, coached.loads, 0)
        state, belief = coached.morning.state(), np.array([coached.morning.belief])
        worths.append(program.worth(state, belief, np.zeros(1, dtype=np.int64))[0, 0])
    assert worths[1] < worths[0]
    rested = replay_days(Tracker(coached.individual), coached.morning, [DayDone(0.0, 0.0)] * 7)
    theta = coached.individual.acquisition
    form = theta.fitness_utility * rested.fitness - theta.fatigue_utility * rested.fatigue
    assert found.outlook[6].vdot == pytest.approx(theta.baseline_performance + form)
    assert [day.injured for day in found.outlook[:8]] == [True] * 7 + [False]
    assert any(
        "Injured until 2026-03-08" in reason and "no plan" in reason for reason in found.reasons
    )


def test_days_without_time_tell_nothing_of_motivation(coached: object) -> None:
    from fitgym.coach.tracking import DayDone, Tracker, replay_days

    assert isinstance(coached, Coached)
    tracker = Tracker(coached.individual)
    idle, injured = (
        replay_days(tracker, coached.morning, [DayDone(0.0, 0.0, free=free)] * 10).motivation
        for free in (True, False)
    )
    kept = coached.individual.motivation.persistence**10
    assert injured == pytest.approx(kept * coached.morning.motivation, abs=1e-3)
    assert idle < injured - 0.02


def test_habits_follow_the_day_of_the_week(profile: object) -> None:
    from dataclasses import replace

    from fitgym.profile import Profile
    from fitgym.profile.habits import weekday_habits

    assert isinstance(profile, Profile)
    points = [30.0 if day.weekday() == 6 else 0.0 for day in profile.dates]
    person = coached_of(replace(profile, weekdays=weekday_habits(profile.dates, points)))
    program = SeasonProgram(person, person.morning, 14, size=SMALL).solve(cache=False)
    found = advise(program, person.morning, person.loads, 0, policy="coach")
    odds = program.habit_odds
    assert odds.argmax() == 6
    assert odds[6] == odds[13] > odds[5]
    assert found.outlook[0].date == TODAY.isoformat()


def test_the_ratio_is_that_of_the_strain_module() -> None:
    generator = np.random.default_rng(3)
    for count in (0, 1, 5, 7, 20, 27, 60):
        loads = generator.uniform(0.0, 40.0, count)
        expected = float(workload_ratio([*loads, 15.0])[-1])
        assert ratio_with(loads, 15.0) == pytest.approx(expected)


def test_a_cap_leaves_the_plans_below_it() -> None:
    kept = Constraints(acwr=1.2)
    targets = [0.0, *DEFAULT_PLANS_TRIMP]
    within = within_cap(kept, [np.full(27, 10.0)], targets)
    ratios = [ratio_with(np.full(27, 10.0), target) for target in targets]
    assert within.tolist() == [
        target == 0.0 or ratio <= 1.2 for target, ratio in zip(targets, ratios, strict=True)
    ]
    assert 2 < within.sum() < 11


@pytest.mark.parametrize(
    ("gap", "points", "wait"),
    [(1, [30.0], 1), (1, [30.0, 5.0], 0), (2, [30.0, 5.0], 1), (0, [30.0], 0), (3, [], 0)],
)
def test_days_to_wait(gap: int, points: list[float], wait: int) -> None:
    assert wait_after(Constraints(hard_gap=gap), 20.0, points) == wait


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"free": ()}, "at least one day"),
        ({"busy": ("tomorrow",)}, "tomorrow"),
        ({"hard_gap": 9}, "hard_gap"),
        ({"acwr": 0.5}, "acwr"),
        ({"injured": (("2026-03-05", "2026-03-04"),)}, "on or after 2026-03-05"),
        ({"longest_minutes": 0}, "longest_minutes"),
        ({"least_chance": 1.0}, "least_chance"),
    ],
)
def test_impossible_constraints_are_refused(arguments: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=message):
        Constraints(**arguments)


def test_a_season_without_a_free_day_or_a_short_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="none of the 3 days"):
        calendar_mask(Constraints(free=(6,)), DEFAULT_PLANS_TRIMP, TODAY, 3)
    shortest = plan_minutes(DEFAULT_PLANS_TRIMP)[1]
    with pytest.raises(ValueError, match=f"the shortest lasts {shortest:.0f}"):
        calendar_mask(Constraints(longest_minutes=5), DEFAULT_PLANS_TRIMP, TODAY, 3)


def test_words_for_injuries() -> None:
    found = parse_injured("2026-03-01..2026-03-05, 2026-04-01")
    assert found == (("2026-03-01", "2026-03-05"), ("2026-04-01", "2026-04-01"))
    with pytest.raises(ValueError, match="'last week'"):
        parse_injured("last week")


def test_words_for_days() -> None:
    assert parse_weekdays("Mon, wednesday,sat") == (0, 2, 5)
    with pytest.raises(ValueError, match="'someday'"):
        parse_weekdays("mon,someday")
