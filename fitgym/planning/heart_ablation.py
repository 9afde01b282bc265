"""How much the heart decides: spread of loads, a planner blind to hearts, exchanged predictors.

- The spread of the log of a plan's load over people of a population and the states that a belief
  policy leads them to, split into what the predictor is told (person, today's fitness, last
  session) and the random offset of the heart.
- The constant twin: a dynamic program for the same person in which each plan has the population's
  mean load, acted on in the true environment. What it falls behind the person's own dynamic
  program, on the way from no service, is what knowing the heart is worth.
- Exchanged predictors: the dynamic program of a person whose loads another predictor gives, acted
  on in the true environment.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau
from tqdm import tqdm

from fitgym.adherence.fitrec2 import Fitrec2Adherence
from fitgym.adherence.fitrec2_step import fill_curve, fitness_place, heart_rate_offset, slope_at
from fitgym.common.files import write_text
from fitgym.common.json_files import json_text, read_object
from fitgym.common.statistics import bootstrap_interval
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.model.noise import HEART_RATE, normal
from fitgym.people.individual import Individual
from fitgym.people.population import Population
from fitgym.planning.belief import belief_policy
from fitgym.planning.dynamic_programming import DynamicProgram, solve
from fitgym.planning.grid import GridSize
from fitgym.planning.scouting import visited_rows
from fitgym.planning.simulation import Policy, Seasons, fixed_plan, random_plan, simulate

# Hundreds of people are solved, so the grid is coarser than that of the reference scores.
SIZE = GridSize(base_level=6, fitness=6, fatigue=7, motivation=13, shares=3, habits=3)
PARTS = ("person", "fitness", "history", "offset")
EXCHANGED = ("equation", "linear", "stranger")
_EPISODES = 100
_SEED = 2_000_000
# People whose loads are averaged for the twin, other than those tested.
_AVERAGED = 100
_STATES = 200
_FORMAT = 2


@dataclass(frozen=True)
class PersonResult:
    """What the ablation found for one person.

    Attributes:
        number: Which draw of the population.
        weekly_trimp: Points that the person does in a week without a service.
        vdot: VDOT at the start.
        none: Mean return without a service.
        own: Mean return of the person's own dynamic program.
        belief: Of the same with the motivation filtered from what is observed.
        twin: Of the constant twin's dynamic program.
        exchanged: Of dynamic programs whose loads another predictor gave, by predictor.
        orders: Kendall's rank correlation of what no service and the fixed plans return where
            another predictor gives the loads with what they really return, by predictor.
        points: Mean points of the plan that each dynamic program pushes, by predictor or ``twin``.
        gain: VDOT gain in per cent under the person's own dynamic program.
        twin_gain: Likewise under the twin's.
        none_gain: Likewise without a service.
        spread: Of the parts of the log of each plan's load, of what is told and of all, by name:
            number of states, sum and sum of squares, (3, plans), to be gathered over people.
    """

    number: int
    weekly_trimp: float
    vdot: float
    none: float
    own: float
    belief: float
    twin: float
    exchanged: dict[str, float]
    orders: dict[str, float]
    points: dict[str, float]
    gain: float
    twin_gain: float
    none_gain: float
    spread: dict[str, list[list[float]]]


class HeartAblation:
    """The ablation in one environment of version 1.

    Args:
        env_id: Registered id with ten plans under version 1's adherence.
        seed: Seed of the people.

    Raises:
        ValueError: If the environment has another adherence.
    """

    def __init__(self, env_id: str, seed: int = 0) -> None:
        """Find the population's mean loads."""
        self.env_id = env_id
        self.seed = seed
        adherence = self._environment(self._person(0)).adherence
        if not isinstance(adherence, Fitrec2Adherence):
            raise ValueError(
                f"env_id must be an id of version 1, for example 'fitgym/Acquisition-v1', got "
                f"{env_id!r}"
            )
        curves, slopes = [], []
        for number in range(_AVERAGED):
            # People of other numbers than those tested.
            environment = self._environment(self._person(-1 - number))
            start = environment.task.prepare(environment.individual).starts[0]
            curves.append(np.log(_loads(environment, start)))
            slopes.append(_slopes(environment, start))
        self._mean_loads = np.exp(np.mean(curves, axis=0))
        self._mean_slopes = np.mean(slopes, axis=0)

    def run(self, number: int, *, exchange: bool) -> PersonResult:
        """Return what is found for one person.

        Args:
            number: Which one, from 0.
            exchange: Whether to exchange predictors, too.
        """
        individual = self._person(number)
        environment = self._environment(individual)
        own = solve(environment, SIZE, cache=False)
        programs: dict[str, DynamicProgram] = {
            "own": own,
            "twin": _on_the_grid_of(own, self._twin(environment)),
        }
        orders: dict[str, float] = {}
        simple = _returns_of_fixed_plans(environment) if exchange else np.zeros(0)
        for predictor in EXCHANGED if exchange else ():
            other = self._environment(individual, predictor=predictor)
            programs[predictor] = _on_the_grid_of(own, other)
            orders[predictor] = float(kendalltau(simple, _returns_of_fixed_plans(other)).statistic)
        played = {name: _play(environment, one.actions) for name, one in programs.items()}
        belief = _play(environment, belief_policy(environment, own))
        none = _play(environment, fixed_plan(0))
        targets = np.array([0.0, *individual.plans_trimp])
        vdot = float(start_vdot(environment))

        def gain(seasons: Seasons) -> float:
            return 100.0 * (float(seasons.outcomes["performance"][-1].mean()) / vdot - 1.0)

        return PersonResult(
            number=number,
            weekly_trimp=7.0 * float(none.outcomes["done_trimp"].mean()),
            vdot=vdot,
            none=float(none.returns.mean()),
            own=float(played["own"].returns.mean()),
            belief=float(belief.returns.mean()),
            twin=float(played["twin"].returns.mean()),
            exchanged={name: float(played[name].returns.mean()) for name in programs},
            orders=orders,
            points={name: float(targets[one.actions].mean()) for name, one in played.items()},
            gain=gain(played["own"]),
            twin_gain=gain(played["twin"]),
            none_gain=gain(none),
            spread=_spread(environment, belief.states),
        )

    def _person(self, number: int) -> Individual:
        # Negative numbers are people of their own.
        key = [self.seed, abs(number), int(number < 0)]
        return Fitrec2Adherence.population().draw(np.random.default_rng(key))

    def _environment(self, individual: Individual, **arguments: Any) -> FitnessFatigueEnv:
        made: Any = gym.make(
            self.env_id, individual=individual, disable_env_checker=True, **arguments
        )
        environment: FitnessFatigueEnv = made.unwrapped
        return environment

    def _twin(self, environment: FitnessFatigueEnv) -> FitnessFatigueEnv:
        """Return the environment of the same person with the population's mean loads."""
        twin = copy.deepcopy(environment)
        adherence = copy.copy(environment.adherence)
        tables = adherence.tables
        loads = np.broadcast_to(self._mean_loads.astype(np.float32), tables.loads.shape).copy()
        slopes = np.broadcast_to(self._mean_slopes, tables.load_slopes.shape).copy()
        for array in (loads, slopes):
            array.setflags(write=False)
        adherence.tables = tables._replace(loads=loads, load_slopes=slopes)
        record = environment.person.copy()
        record["heart_rate_offset"] = 0.0
        # The twin plans for a person that no argument describes.
        twin._person = replace(twin._person, adherence=adherence, record=record)
        return twin


def _on_the_grid_of(own: DynamicProgram, environment: FitnessFatigueEnv) -> DynamicProgram:
    """Return the solution of another environment on the grid that a person's own is solved on."""
    limits = np.array([[axis[0], axis[-1]] for axis in own.axes])
    program = DynamicProgram(environment, SIZE, own.scouted, limits)
    program.induce()
    return program


def start_vdot(environment: FitnessFatigueEnv) -> float:
    """Return the performance at the start of an episode, in VDOT."""
    theta = environment.parameters
    return (
        theta.baseline_performance
        + theta.fitness_utility * theta.initial_fitness
        - theta.fatigue_utility * theta.initial_fatigue
    )


def run_ablation(
    env_id: str,
    people: int,
    exchanged: int,
    folder: Path,
    *,
    seed: int = 0,
    progress: bool = False,
) -> dict[str, Any]:
    """Run the ablation for many people and return the report; go on where it was stopped.

    Args:
        env_id: Registered id of version 1.
        people: How many people of the population.
        exchanged: For how many of them predictors are exchanged.
        folder: Where each person's result is kept.
        seed: Seed of the people.
        progress: Whether to show a bar.

    Raises:
        ValueError: If the environment is not of version 1, or the folder holds results of
            another run.
    """
    path = folder / "people.json"
    run = {"env_id": env_id, "seed": seed, "format": _FORMAT, "size": asdict(SIZE)}
    found: list[PersonResult] = []
    if path.exists():
        kept = read_object(path, ("run", "people"))
        if kept["run"] != run:
            raise ValueError(f"{path} holds results of another run, {kept['run']}, not of {run}")
        found = [PersonResult(**one) for one in kept["people"]]
    ablation = HeartAblation(env_id, seed)
    with tqdm(total=people, initial=min(len(found), people), disable=not progress) as bar:
        for number in range(len(found), people):
            found.append(ablation.run(number, exchange=number < exchanged))
            content = {"run": run, "people": [asdict(one) for one in found]}
            write_text(path, json_text(content) + "\n")
            bar.update()
    report = {"run": run, **summarise(found[:people])}
    report["version 0"] = {"by_plan": version0_spread(people, seed).tolist()}
    return report


def version0_spread(people: int, seed: int) -> NDArray[np.float64]:
    """Return the standard deviation of the log of each plan's load in version 0, (plans,).

    It is over people of that version's population and the states that random plans lead them to.

    Args:
        people: How many people.
        seed: Seed of the people.
    """
    rows = []
    for number in range(people):
        individual = Population().draw(np.random.default_rng([seed, number]))
        made: Any = gym.make(
            "fitgym/Acquisition-v0", individual=individual, disable_env_checker=True
        )
        environment: FitnessFatigueEnv = made.unwrapped
        policy = random_plan(environment.action_mask, seed=number)
        states = _play(environment, policy, episodes=2).states[:-1].ravel()
        tables = environment.adherence.tables
        ends = tables.first_segments[1:] - 1
        found = visited_rows(environment.adherence.row_of, states)
        rows.append(np.log(tables.loads[0, found][:, ends].astype(np.float64)))
    return np.asarray(np.concatenate(rows).std(axis=0))


def summarise(people: Sequence[PersonResult]) -> dict[str, Any]:
    """Return the report of the results of many people."""
    none, own, twin, belief = (
        np.array([getattr(one, name) for one in people])
        for name in ("none", "own", "twin", "belief")
    )
    report: dict[str, Any] = {
        "people": len(people),
        "spread": _summary_of_spread([one.spread for one in people]),
        "twin": _behind(none, own, twin),
        "belief": _behind(none, own, belief),
        "gains": {
            "own": _describe(np.array([one.gain for one in people])),
            "twin": _describe(np.array([one.twin_gain for one in people])),
            "no service": _describe(np.array([one.none_gain for one in people])),
        },
    }
    some = [one for one in people if set(EXCHANGED) <= set(one.exchanged)]
    if some:
        none, own = (np.array([getattr(one, name) for one in some]) for name in ("none", "own"))
        report["exchanged"] = {
            name: {
                **_behind(none, own, np.array([one.exchanged[name] for one in some])),
                "points": float(np.mean([one.points[name] for one in some])),
                "order": float(np.mean([one.orders[name] for one in some])),
            }
            for name in EXCHANGED
        }
        report["exchanged"]["own"] = {
            "people": len(some),
            "points": float(np.mean([one.points["own"] for one in some])),
        }
    return report


def _behind(
    none: NDArray[np.float64], own: NDArray[np.float64], other: NDArray[np.float64]
) -> dict[str, float]:
    """Return how far returns fall behind, in points of the way from no service to ``own``."""
    shares = 100.0 * (own - other) / (own - none)
    interval = bootstrap_interval(shares)
    return {
        "people": int(shares.size),
        "points_behind": 100.0 * float((own - other).sum() / (own - none).sum()),
        "mean_of_people": float(shares.mean()),
        "low": interval.low,
        "high": interval.high,
    }


def _describe(values: NDArray[np.float64]) -> dict[str, float | int]:
    return {
        "mean": float(values.mean()),
        "sd": float(values.std()),
        "lowest": float(values.min()),
        "median": float(np.median(values)),
        "highest": float(values.max()),
        "people above 20": int((values > 20.0).sum()),
    }


def _play(environment: FitnessFatigueEnv, policy: Policy, episodes: int = _EPISODES) -> Seasons:
    person = environment.task.prepare(environment.individual)
    return simulate(environment.task, person, policy, episodes=episodes, seed=_SEED)


def _returns_of_fixed_plans(environment: FitnessFatigueEnv) -> NDArray[np.float64]:
    """Return the mean return of no service and of every fixed plan, (11,)."""
    plans = range(1 + len(environment.individual.plans_trimp))
    return np.array([_play(environment, fixed_plan(plan)).returns.mean() for plan in plans])


def _loads(environment: FitnessFatigueEnv, state: NDArray[np.void]) -> NDArray[np.float64]:
    """Return the loads of all segments (S,) in a state, without an offset."""
    loads, beats = np.zeros((2, environment.adherence.tables.segments.size))
    fill_curve(state, environment.person[0], environment.adherence.tables, loads, beats)
    return loads


def _slopes(environment: FitnessFatigueEnv, state: NDArray[np.void]) -> NDArray[np.float64]:
    """Return by how much the log of each plan's load rises for each bpm, (plans,)."""
    tables = environment.adherence.tables
    count = tables.load_slopes.shape[1]
    node, part = fitness_place(state, environment.person[0], tables.nodes[0], count)
    plans = range(tables.load_slopes.shape[2])
    return np.array([slope_at(tables.load_slopes[0], node, part, plan) for plan in plans])


def _spread(
    environment: FitnessFatigueEnv, states: NDArray[np.void]
) -> dict[str, list[list[float]]]:
    """Return count, sum and sum of squares (3, plans) of the parts of log load."""
    flat = states[:-1].ravel()
    chosen = flat[:: max(1, flat.size // _STATES)][:_STATES]
    ends = environment.adherence.tables.first_segments[1:] - 1
    start = environment.task.prepare(environment.individual).starts[0]
    base = np.log(_loads(environment, start)[ends])
    rows: dict[str, list[NDArray[np.float64]]] = {name: [] for name in PARTS}
    for state in chosen:
        alone = state.copy()
        alone["history"] = 0
        rested = np.log(_loads(environment, alone)[ends])
        told = np.log(_loads(environment, state)[ends])
        noise = normal(state["key"], int(state["day"]), HEART_RATE)
        offset = heart_rate_offset(environment.person[0], noise)
        parts = (base, rested - base, told - rested, offset * _slopes(environment, state))
        for name, part in zip(PARTS, parts, strict=True):
            rows[name].append(part)
    arrays = {name: np.array(part) for name, part in rows.items()}
    arrays["told"] = arrays["person"] + arrays["fitness"] + arrays["history"]
    arrays["all"] = arrays["told"] + arrays["offset"]
    return {
        name: [
            [float(len(one))] * one.shape[1],
            one.sum(axis=0).tolist(),
            np.square(one).sum(axis=0).tolist(),
        ]
        for name, one in arrays.items()
    }


def _summary_of_spread(people: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return standard deviations by plan, over plans, and what share of the variance is told."""
    variances = {}
    for name in (*PARTS, "told", "all"):
        count, total, squares = np.sum([np.array(one[name]) for one in people], axis=0)
        variances[name] = squares / count - np.square(total / count)
    return {
        "by_plan": {name: np.sqrt(one).tolist() for name, one in variances.items()},
        "over_plans": {name: math.sqrt(one.mean()) for name, one in variances.items()},
        "share_told": float(variances["told"].mean() / variances["all"].mean()),
    }
