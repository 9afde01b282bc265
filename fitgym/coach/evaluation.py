"""How good the coach's advice is for virtual people, whom it knows only by their history.

Each person trains by habit for some weeks, with a plan on some days, and is profiled from what a
watch and a log hold of it. Then seasons are played in the true environment, each policy on the same
noise: belief on the profiled person, without limits and with those of ``fitgym coach``, belief on
the true person, the best fixed plan, the coach's rule and no service.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.coach.advice import Place, allowed_actions, forecasts
from fitgym.coach.constraints import (
    USUAL_ACWR,
    USUAL_HARD_GAP,
    USUAL_LEAST_CHANCE,
    Constraints,
    wait_after,
)
from fitgym.coach.person import (
    MOTIVATIONS,
    Coached,
    Morning,
    coached_of,
    environment_of,
    normal_belief,
)
from fitgym.coach.policies import rate
from fitgym.coach.program import SeasonProgram
from fitgym.coach.seasons import Choice, Played, fixed_choice, play
from fitgym.coach.tracking import DayDone, Tracker, replay_days
from fitgym.common.statistics import bootstrap_interval
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.people.runners import RunnerPopulation
from fitgym.planning.rules import rule_of_thumb
from fitgym.profile import PushedPlans, profile_from
from fitgym.virtual.season import VirtualSeason, plans_now_and_then, simulate_history

Array = NDArray[np.float64]

# A fixed first day, so that results do not depend on the day they are made.
_START = date(2025, 3, 3)
_SHARE_OF_PLANS = 0.3
# Who serves, from no service to belief on the true person.
POLICIES = ("none", "rule", "fixed", "limited", "profiled", "true")


@dataclass(frozen=True)
class PersonEarned:
    """Mean returns of one person's seasons.

    Attributes:
        number: Which draw of the population.
        none: Without a service.
        rule: Of the coach's rule.
        fixed: Of the plan that, pushed every day, earns most in other seasons of the true person.
        limited: Of belief on the profiled person under the usual limits of ``fitgym coach``.
        profiled: Of belief on the profiled person.
        true: Of belief on the true person.
        vdot_error: VDOT of the profile less the true one on the first day of advice.
        gains: VDOT gained over the season by policy.
    """

    number: int
    none: float
    rule: float
    fixed: float
    limited: float
    profiled: float
    true: float
    vdot_error: float
    gains: dict[str, float]


def serve(program: SeasonProgram, tracker: Tracker, policy: str = "belief") -> Choice:
    """Return the service that a program gives to people whom it only observes.

    It serves one simulation and keeps an account of its own: stocks and belief by its model of the
    person, moved on by what was done. Of the plans that the program's constraints allow it takes
    the best.
    """
    constraints, gap = program.constraints, program.constraints.hard_gap
    memory: dict[str, Any] = {}

    def act(states: NDArray[np.void]) -> NDArray[np.int64]:
        day = int(states["day"][0])
        if day == 0:
            memory["states"] = np.repeat(program.morning.state(), states.size)
            memory["beliefs"] = np.tile(program.morning.belief, (states.size, 1))
            before = np.asarray(program.coached.loads)
            memory["loads"] = np.repeat(before[None], states.size, axis=0)
            memory["waits"] = np.full(
                states.size, wait_after(constraints, program.hard_trimp, before.tolist())
            )
        else:
            planned = states["plan_trimp"] > 0.0
            done = [
                DayDone(float(plan), float(points), float(load) if told else 0.0)
                for plan, points, load, told in zip(
                    states["plan_trimp"],
                    states["intensity"],
                    states["internal_load"],
                    planned,
                    strict=True,
                )
            ]
            memory["states"], memory["beliefs"] = tracker.after(
                memory["states"], memory["beliefs"], done
            )
            points = states["intensity"].astype(np.float64)
            memory["loads"] = np.concatenate([memory["loads"], points[:, None]], axis=1)
            hard = np.maximum(points, states["plan_trimp"]) >= program.hard_trimp
            memory["waits"] = np.where(hard, gap, np.maximum(memory["waits"] - 1, 0))
        rated = rate(policy, program, memory["states"], memory["beliefs"], memory["waits"])
        if constraints != Constraints():
            for i in range(states.size):
                loads = memory["loads"][i]
                place = Place(
                    memory["states"][i : i + 1],
                    memory["beliefs"][i : i + 1],
                    int(memory["waits"][i]),
                    loads,
                    loads,
                )
                allowed, _ = allowed_actions(program, place)
                rated[i] = np.where(allowed, rated[i], -np.inf)
        return np.asarray(rated.argmax(axis=1))

    return act


def history_of(number: int, weeks: int, seed: int, *, recordings: bool) -> VirtualSeason:
    """Return the history of a virtual person: habit, and a plan on some days."""
    individual = RunnerPopulation().draw(np.random.default_rng([seed, number]))
    return simulate_history(
        individual,
        days=7 * weeks,
        seed=seed + number,
        policy=plans_now_and_then(_SHARE_OF_PLANS, seed=number),
        start=_START,
        recordings=recordings,
    )


def profiled_person(season: VirtualSeason) -> Coached:
    """Return the person as the profile of a history has it."""
    individual = season.individual
    asked = dict(zip(season.dates, season.plans_trimp.tolist(), strict=True))
    plans = PushedPlans(asked, individual.physiology.vdot, individual.plans_trimp)
    today = season.start + timedelta(days=season.days)
    profile = profile_from(season.history, today=today, plans=plans)
    return coached_of(profile)


def true_person(season: VirtualSeason) -> Coached:
    """Return the person as it is, with the belief that the history leaves."""
    individual = season.individual
    start = Morning.of(
        season.start,
        season.states[:1],
        normal_belief(0.0, individual.motivation.initial_motivation_sd),
    )
    days = [
        DayDone(float(plan), float(points), float(load) if plan > 0.0 else 0.0)
        for plan, points, load in zip(
            season.plans_trimp,
            season.load_trimp,
            season.outcomes["internal_load"],
            strict=True,
        )
    ]
    believed = replay_days(Tracker(individual), start, days)
    today = season.start + timedelta(days=season.days)
    morning = Morning.of(today, season.states[-1:], np.array(believed.belief))
    return Coached(individual, morning, tuple(season.load_trimp.tolist()), 0.0)


def earned(
    number: int,
    *,
    seed: int = 0,
    weeks: int = 8,
    days: int = 90,
    seasons: int = 40,
    recordings: bool = True,
) -> PersonEarned:
    """Return what each policy earns for one virtual person.

    Args:
        number: Which draw of the population.
        seed: Seed of everything random.
        weeks: Weeks of history.
        days: Days of advice.
        seasons: Seasons played, on the same noise for each policy.
        recordings: Whether a watch recorded the history, or there is only a log.
    """
    season = history_of(number, weeks, seed, recordings=recordings)
    profiled, true = profiled_person(season), true_person(season)
    environment = environment_of(season.individual, days)
    starts = np.repeat(season.states[-1:], seasons)
    starts["day"] = 0
    generator = np.random.default_rng([seed, number, 2])
    starts["key"] = generator.integers(0, 2**64, seasons, dtype=np.uint64)
    choices: dict[str, Choice] = {
        "none": fixed_choice(0),
        "rule": lambda states: np.asarray(rule_of_thumb(states["day"], days)),
    }
    generator = np.random.default_rng([seed, number, 4])
    others = starts.copy()
    others["key"] = generator.integers(0, 2**64, seasons, dtype=np.uint64)
    plans = range(1, len(season.individual.plans_trimp) + 1)
    best = max(
        plans, key=lambda plan: _mean_return(play(environment, others, days, fixed_choice(plan)))
    )
    choices["fixed"] = fixed_choice(best)
    usual = Constraints(hard_gap=USUAL_HARD_GAP, acwr=USUAL_ACWR, least_chance=USUAL_LEAST_CHANCE)
    for name, coached, kept in (
        ("profiled", profiled, Constraints()),
        ("limited", profiled, usual),
        ("true", true, Constraints()),
    ):
        program = SeasonProgram(coached, coached.morning, days, constraints=kept)
        choices[name] = serve(program.solve(cache=False), Tracker(coached.individual))
    played = {name: play(environment, starts, days, choice) for name, choice in choices.items()}
    theta = season.individual.acquisition
    vdot = theta.baseline_performance + float(
        theta.fitness_utility * season.fitness[-1] - theta.fatigue_utility * season.fatigue[-1]
    )
    return PersonEarned(
        number=number,
        **{name: _mean_return(one) for name, one in played.items()},
        vdot_error=_vdot_of(profiled, environment_of(profiled.individual, days)) - vdot,
        gains={
            name: float(one.outcomes["performance"][-1].mean()) - vdot
            for name, one in played.items()
        },
    )


@dataclass(frozen=True)
class PlanForecast:
    """What was told of a plan of the first day, and what became of it over many draws of the day.

    Attributes:
        number: Which person.
        plan: 1 to 10.
        chance: Of completing it, as told.
        completed: Share of the draws in which it was completed.
        heart_rate_error: Mean heart rate of the completed ones less the one told, bpm; 0 if none.
        inside: Share of the completed ones whose heart rate lies in the range told; 0 if none.
        width: Width of that range, bpm.
    """

    number: int
    plan: int
    chance: float
    completed: float
    heart_rate_error: float
    inside: float
    width: float


def first_day(
    number: int, *, seed: int = 0, weeks: int = 8, draws: int = 400
) -> list[PlanForecast]:
    """Return how well the plans of the first day of advice are told for one virtual person.

    Args:
        number: Which draw of the population.
        seed: Seed of everything random.
        weeks: Weeks of history.
        draws: How often the day is drawn.
    """
    season = history_of(number, weeks, seed, recordings=True)
    profiled = profiled_person(season)
    told = forecasts(SeasonProgram(profiled, profiled.morning, 1), profiled.morning)
    environment = environment_of(season.individual, 1)
    starts = np.repeat(season.states[-1:], draws)
    starts["day"] = 0
    generator = np.random.default_rng([seed, number, 3])
    starts["key"] = generator.integers(0, 2**64, draws, dtype=np.uint64)
    # What the history left open of the motivation is drawn, too.
    belief = np.array(true_person(season).morning.belief)
    starts["motivation"] = generator.choice(MOTIVATIONS, draws, p=belief)
    found = []
    for one in told[1:]:
        outcome = play(environment, starts, 1, fixed_choice(one.plan)).outcomes[0]
        beats = outcome["mean_heart_rate"][outcome["met"] > 0.0]
        inside = (beats >= one.heart_rate_low) & (beats <= one.heart_rate_high)
        found.append(
            PlanForecast(
                number=number,
                plan=one.plan,
                chance=one.chance,
                completed=float(outcome["met"].mean()),
                heart_rate_error=float(beats.mean()) - one.heart_rate if beats.size else 0.0,
                inside=float(inside.mean()) if beats.size else 0.0,
                width=one.heart_rate_high - one.heart_rate_low,
            )
        )
    return found


def summarise_forecasts(rows: Sequence[PlanForecast]) -> dict[str, Any]:
    """Return chances told and shares completed by fifths of the chance, and the heart rates."""
    chance = np.array([one.chance for one in rows])
    completed = np.array([one.completed for one in rows])
    seen = completed > 0.0
    weights = completed[seen]
    error = np.array([one.heart_rate_error for one in rows])[seen]
    fifths = np.minimum((5.0 * chance).astype(int), 4)
    return {
        "people": len({one.number for one in rows}),
        "chances": [
            {
                "from": 0.2 * fifth,
                "plans": int((fifths == fifth).sum()),
                "told": float(chance[fifths == fifth].mean()),
                "completed": float(completed[fifths == fifth].mean()),
            }
            for fifth in range(5)
            if (fifths == fifth).any()
        ],
        "heart rate": {
            "inside the 95 % range": float(
                np.average([one.inside for one in rows if one.completed > 0.0], weights=weights)
            ),
            "width bpm": float(
                np.average([one.width for one in rows if one.completed > 0.0], weights=weights)
            ),
            "root mean square error of its mean bpm": float(
                np.sqrt(np.average(np.square(error), weights=weights))
            ),
        },
    }


def summarise(people: Sequence[PersonEarned]) -> dict[str, Any]:
    """Return returns, shares of the way from no service to belief on the true person, intervals."""
    columns = {name: np.array([getattr(one, name) for one in people]) for name in POLICIES}
    report: dict[str, Any] = {"people": len(people)}
    generator = np.random.default_rng(0)
    picks = generator.integers(0, len(people), (4000, len(people)))
    way = columns["true"] - columns["none"]
    for name in POLICIES[1:-1]:
        gained = columns[name] - columns["none"]
        shares = gained[picks].sum(axis=1) / way[picks].sum(axis=1)
        low, high = np.quantile(shares, [0.025, 0.975])
        each = gained / way
        report[f"share of {name}"] = {
            "of sums": float(gained.sum() / way.sum()),
            "low": float(low),
            "high": float(high),
            "mean of people": float(each.mean()),
            "median of people": float(np.median(each)),
            "people of at least 0.8": float((each >= 0.8).mean()),
        }
    for one, other in (("profiled", "rule"), ("profiled", "limited"), ("fixed", "rule")):
        difference = columns[one] - columns[other]
        interval = bootstrap_interval(difference)
        report[f"{one} less {other}"] = {
            "mean": float(difference.mean()),
            "low": interval.low,
            "high": interval.high,
            "people better": float((difference > 0.0).mean()),
        }
    report["returns"] = {name: float(one.mean()) for name, one in columns.items()}
    report["VDOT gained"] = {
        name: float(np.mean([one.gains[name] for one in people])) for name in columns
    }
    report["VDOT error"] = float(np.sqrt(np.mean([one.vdot_error**2 for one in people])))
    return report


def _mean_return(played: Played) -> float:
    return float(played.outcomes["reward"].sum(axis=0).mean())


def _vdot_of(coached: Coached, environment: FitnessFatigueEnv) -> float:
    from fitgym.envs import kernel

    return float(kernel.performance_of(coached.morning.state(), 0, environment.person))
