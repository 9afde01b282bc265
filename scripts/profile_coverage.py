"""Profile virtual people whose truth is known, and print how often intervals hold it.

    python scripts/profile_coverage.py --people 200 --scenario service

People are drawn from version 1's population, each with a history of 180 days through the same
model. ``service``: from day 60 on a service pushes a random plan on half of the days, and a watch
records. ``log``: the same without a watch. ``alone``: no plans. ``diary``: no plans and no watch,
and nobody says that there were no plans. ``three``: the first three recorded sessions of
``alone``. Every result is kept as it comes, so the command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from fitgym.common.files import write_text
from fitgym.common.json_files import json_text, read_object
from fitgym.common.tables import markdown_table
from fitgym.logs.history import History
from fitgym.people.individual import Individual
from fitgym.people.runners import TOLERANCE_SD, RunnerPopulation
from fitgym.profile import Given, PushedPlans, profile_from
from fitgym.virtual.season import VirtualSeason, plans_now_and_then, simulate_history

SCENARIOS = ("service", "log", "alone", "diary", "three")
DAYS, FIRST_PLAN = 180, 60


def main() -> None:
    """Profile people and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20_000, help="of the people")
    parser.add_argument("--scenario", choices=SCENARIOS, default="service")
    parser.add_argument("--output", type=Path, default=Path("results/profile-coverage"))
    options = parser.parse_args()
    path = options.output / f"{options.scenario}-{options.seed}.json"
    run = {"scenario": options.scenario, "seed": options.seed, "days": DAYS}
    rows: list[dict[str, Any]] = []
    if path.exists():
        kept = read_object(path, ("run", "people"))
        if kept["run"] != run:
            raise SystemExit(f"{path} holds another run, {kept['run']}")
        rows = kept["people"]
    for number in range(len(rows), options.people):
        rows.append(result_of(options.seed, number, options.scenario))
        write_text(path, json_text({"run": run, "people": rows}, indent=0) + "\n")
    print(table_of(rows[: options.people]))


def result_of(seed: int, number: int, scenario: str) -> dict[str, Any]:
    """Return truth, estimate and interval of every number of one person."""
    individual = RunnerPopulation().draw(np.random.default_rng([seed, number]))
    served = scenario in ("service", "log")
    season = simulate_history(
        individual,
        days=DAYS,
        seed=seed + number,
        policy=plans_now_and_then(0.5, first_day=FIRST_PLAN, seed=number) if served else None,
        recordings=scenario not in ("log", "diary"),
    )
    history, day = season.history, DAYS
    if scenario == "three":
        history = History(history.sessions[:3], history.workouts[:3])
        day = (history.sessions[-1].date - season.start).days + 1
    today = season.start + timedelta(days=day)
    pushed = {date: float(season.plans_trimp[i]) for i, date in enumerate(season.dates[:day])}
    start = time.process_time()
    plans = PushedPlans(pushed, individual.physiology.vdot) if scenario != "diary" else None
    profile = profile_from(
        history,
        today=today,
        plans=plans,
        given=Given(gender=individual.physiology.gender),
    )
    seconds = time.process_time() - start
    truth, middle = truth_of(season, day), prior_middle(individual)
    return {
        "seconds": seconds,
        "numbers": {
            one.name: [truth[one.name], one.value, one.low, one.high, middle.get(one.name)]
            for one in profile.estimates
        },
        "verdicts": {one.name: one.verdict for one in profile.estimates},
    }


def truth_of(season: VirtualSeason, day: int) -> dict[str, float]:
    """Return what is really so of a virtual person on the morning of a day."""
    individual = season.individual
    theta, habit = individual.acquisition, individual.habit
    start = theta.initial_base_level
    from scipy.special import ndtri

    margin = float(ndtri(individual.motivation.reference_completion) - ndtri(0.55))
    level = float(season.base_level[day])
    return {
        "vdot": float(season.performance[day]),
        "resting_heart_rate": individual.physiology.resting_heart_rate,
        "maximum_heart_rate": individual.physiology.maximum_heart_rate,
        "heart_rate_offset": individual.physiology.heart_rate_offset,
        "habit_probability": habit.probability,
        "habit_median": habit.median_trimp,
        "tolerance": 5.19 * start * (level / start) ** 0.5 * np.exp(TOLERANCE_SD * margin),
        "failure_effect": individual.motivation.failure_effect,
        "fitness_days": 1.0 / theta.fitness_decay,
        "fatigue_days": 1.0 / theta.fatigue_decay,
        "fitness_response": theta.fitness_utility * start / 0.115,
        "fatigue_response": theta.fatigue_utility * start / 0.1725,
        "fitness_exponent": theta.fitness_exponent,
        "fatigue_exponent": theta.fatigue_exponent,
        "base_decay": theta.base_decay,
        "base_level": level,
        "fitness": float(season.fitness[day]),
        "fatigue": float(season.fatigue[day]),
        "motivation": float(season.motivation[day]),
    }


def prior_middle(individual: Individual) -> dict[str, float]:
    """Return what somebody is said to be who is believed to be the population's middle.

    The service's VDOT, which is known, is used: resting heart rate, habit and stocks go with it.
    """
    from fitgym.people.runners import stage_at_habits

    vdot = individual.physiology.vdot
    median = 16.0 * float(np.exp(0.04 * (vdot - 41.0)))
    typical = RunnerPopulation().typical()
    habit = replace(typical.habit, median_trimp=median, probability=0.4)
    from fitgym.people.runners import Response

    stage = stage_at_habits("acquisition", vdot, habit, Response())
    return {
        "vdot": vdot,
        "resting_heart_rate": 60.0 - 0.6 * (vdot - 41.0),
        "maximum_heart_rate": 180.0,
        "heart_rate_offset": 0.0,
        "habit_probability": 0.4,
        "habit_median": median,
        "tolerance": 5.19 * stage.initial_base_level,
        "failure_effect": 0.15,
        "fitness_days": 42.0,
        "fatigue_days": 7.0,
        "fitness_response": 1.0,
        "fatigue_response": 1.0,
        "fitness_exponent": 0.6,
        "fatigue_exponent": 1.5,
        "base_decay": 0.99,
        "base_level": stage.initial_base_level,
        "fitness": stage.initial_fitness,
        "fatigue": stage.initial_fatigue,
        "motivation": 0.0,
    }


def table_of(rows: list[dict[str, Any]]) -> str:
    """Return coverage, width and errors by number, in Markdown."""
    lines, covered = [], []
    for name in rows[0]["numbers"]:
        truth, value, low, high, middle = np.array([one["numbers"][name] for one in rows]).T
        inside = (low <= truth) & (truth <= high)
        covered.append(inside.mean())
        error = float(np.sqrt(np.mean((value - truth) ** 2)))
        simple = float(np.sqrt(np.mean((middle - truth) ** 2)))
        verdicts = [one["verdicts"][name] for one in rows]
        most = max(set(verdicts), key=verdicts.count)
        lines.append(
            [
                name,
                f"{100.0 * inside.mean():.1f} %",
                f"{np.median(high - low):.3g}",
                f"{error:.3g}",
                f"{simple:.3g}",
                f"{error / simple:.2f}",
                f"{most} ({verdicts.count(most)})",
            ]
        )
    seconds = float(np.mean([one["seconds"] for one in rows]))
    head = (
        "number",
        "95 % intervals hold",
        "median width",
        "error",
        "error of the population's middle",
        "ratio",
        "verdict (people)",
    )
    return (
        f"{len(rows)} people, {seconds:.1f} s of processor time each\n\n"
        + markdown_table(head, lines)
        + f"\n\nall numbers: {100.0 * float(np.mean(covered)):.1f} %"
    )


if __name__ == "__main__":
    main()
