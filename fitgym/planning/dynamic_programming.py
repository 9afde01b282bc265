"""The dynamic-programming reference under FitRec adherence: what an all-knowing service earns.

Backward induction (Bellman 1957) over the days on a grid over (ln B, F, G, m), with multilinear
interpolation between grid points and the nearest edge beyond them. The motivation m is known
here. The probability that a plan is completed is the exact normal one, and so is that of failing
within each of some equal shares of the plan, whose middle stands for it; the noise of motivation
is integrated by Gauss-Hermite quadrature, the habit sessions by quantiles. Dynamics, tolerance
and rewards are those of the kernel.

Two things are approximate: the grid, and the load of a plan, which in the tables of values is the
mean of its logarithm over histories, each weighted by how often seasons meet it. Both the range
of the grid and these weights come from scouting: a coarse solution is found between the limits of
what seasons of every fixed plan and of random plans meet, and what its own seasons meet then lays
out the final grid. Where the final solution's seasons leave that, the grid is laid out anew around
both, and solved again. The return of the policy, which looks one day ahead from the very
state and after yesterday's session, is simulated in the true environment, so it is a lower bound
on the optimum whatever the grid.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fitgym.adherence.base import Tables
from fitgym.adherence.fitrec import FitRecAdherence
from fitgym.adherence.fitrec2 import Fitrec2Adherence
from fitgym.adherence.fitrec_step import drawn_habit
from fitgym.adherence.response import next_motivation
from fitgym.common.cache import cached, read_arrays, write_arrays
from fitgym.envs.records import OUTCOME, STATE
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.people.individual import Individual
from fitgym.planning import bellman
from fitgym.planning.grid import GridSize, grid_limits, hat_weights, normal_nodes
from fitgym.planning.scouting import scout, scout_simple_policies, visited_rows

# Raised when the meaning of stored values changes, so that cached ones are computed anew.
FORMAT = 3
# The grid is laid out anew, and solved again, while more than this share of the days that the
# solution's own seasons meet lies beyond it; ours, and in six rounds at most.
_NEGLIGIBLE_OUTSIDE = 1e-3
_ROUNDS = 6


_SCOUTING_SIZE = GridSize(base_level=7, fitness=7, fatigue=9, motivation=21, shares=4, habits=4)


class DynamicProgram:
    """The values of every state on every day, and the plans that follow from them.

    Attributes:
        individual: Whose.
        days: ``T``.
        size: How fine the grid is.
        scouted: States that seasons meet, dtype ``STATE``: they weigh the histories.
        axes: Grid points along ln B, F, G and m; each is evenly spaced.
        values: Largest expected return from day t on, (T + 1, ln B, F, G, m), float32.
        value: Largest expected return of a season, the mean over the motivation at the start.
    """

    def __init__(
        self,
        environment: FitnessFatigueEnv,
        size: GridSize,
        scouted: NDArray[np.void],
        limits: NDArray[np.float64],
    ) -> None:
        """Lay out the grid, all values zero; ``solve`` fills them in.

        Args:
            environment: The unwrapped environment.
            size: How fine the grid is.
            scouted: States that seasons meet, dtype ``STATE``.
            limits: Ends of the axes of ln B, F, G and m, (4, 2).
        """
        self.individual: Individual = environment.individual
        self.days = environment.days
        self.size = size
        self.scouted = scouted
        # As the environment sees the person now, so that changed tables count.
        self._record = environment.person.copy()
        self._tables: Tables = environment.adherence.tables
        self._targets = np.array([0.0, *self.individual.plans_trimp])
        self._mask = environment.action_mask
        self._start = environment.task.prepare(self.individual).starts
        log_loads = np.empty((self._tables.loads.shape[1], self._targets.size - 1, size.shares + 1))
        bellman.fill_log_loads(self._tables, int(self._record["table"][0]), log_loads)
        # By row and, where loads depend on fitness, its node.
        nodes = max(1, self._tables.load_slopes.shape[1])
        by_row = log_loads.reshape(nodes, -1, *log_loads.shape[1:]).swapaxes(0, 1)
        self._row_of = environment.adherence.row_of
        self._loads = np.ascontiguousarray(np.exp(by_row))
        self._habits = habit_sessions(self._record, self._tables, size.habits)
        self.axes = tuple(
            np.linspace(low, high, count)
            for (low, high), count in zip(limits, size.shape, strict=True)
        )
        rows, visits = np.unique(visited_rows(self._row_of, scouted), return_counts=True)
        self._mean_loads = np.exp(np.average(by_row[rows], axis=0, weights=visits))
        self._transitions = motivation_transitions(self._record, self.axes[3], size.shares)
        self.values = np.zeros((self.days + 1, *size.shape), dtype=np.float32)

    @property
    def value(self) -> float:
        """Largest expected return of a season, the mean over the motivation at the start."""
        sd = float(self._record["initial_motivation_sd"][0])
        nodes, weights = normal_nodes()
        belief = weights @ hat_weights(self.axes[3], sd * nodes)
        values = np.empty(self.size.motivation)
        bellman.interpolate(self.values[0], self.axes, self._start[0], values)
        return float(belief @ values)

    def plan_values(self, states: NDArray[np.void]) -> NDArray[np.float64]:
        """Return what each plan is worth at each motivation of the grid, (N, 11, motivations).

        It is the reward expected today and the best from tomorrow on, one day ahead of exactly
        these stocks and this history. Forbidden plans have their worth too.

        Args:
            states: (N,) of ``STATE``; their motivations are not looked at.
        """
        result = np.empty((states.size, self._targets.size, self.size.motivation))
        for day in np.unique(states["day"]):
            rows = np.flatnonzero(states["day"] == day)
            some = np.empty((rows.size, *result.shape[1:]))
            bellman.look_ahead(
                states[rows],
                np.zeros(2, dtype=STATE),
                np.zeros(1, dtype=OUTCOME),
                self._record,
                self._targets,
                self._loads,
                visited_rows(self._row_of, states[rows]),
                self._tables,
                self._habits,
                self.expected(min(int(day) + 1, self.days)),
                self.axes,
                some,
            )
            result[rows] = some
        return result

    def actions(
        self, states: NDArray[np.void], beliefs: NDArray[np.float64] | None = None
    ) -> NDArray[np.int64]:
        """Return the best plan in each state, (N,).

        Args:
            states: (N,) of ``STATE``.
            beliefs: Probability of each motivation of the grid, (N, motivations); None trusts
                the motivations in ``states``.
        """
        if beliefs is None:
            beliefs = hat_weights(self.axes[3], states["motivation"])
        values = np.einsum("ijm,im->ij", self.plan_values(states), beliefs)
        values[:, self._mask == 0] = -np.inf
        return np.asarray(values.argmax(axis=1))

    def outside(self, states: NDArray[np.void]) -> float:
        """Return the share of ``states`` that lie beyond the grid."""
        columns = (
            np.log(states["base_level"]),
            states["fitness"],
            states["fatigue"],
            states["motivation"],
        )
        beyond = np.zeros(states.shape, dtype=np.bool_)
        for axis, column in zip(self.axes, columns, strict=True):
            beyond |= (column < axis[0]) | (column > axis[-1])
        return float(beyond.mean())

    def expected(self, day: int) -> NDArray[np.float32]:
        """Return the values of a day, expected the day before for each kind of outcome.

        The first axis is the kind: the plan failed in share 0, 1, ..., the plan was completed, no
        plan; the last axis is the motivation of the day before.
        """
        flat = self.values[day].reshape(-1, self.size.motivation)
        return np.stack(
            [(flat @ matrix.T).reshape(self.size.shape) for matrix in self._transitions]
        )

    def induce(self, *, progress: bool = False, description: str = "solving") -> None:
        """Fill in the values, from the last day to the first.

        Args:
            progress: Whether to show a bar.
            description: What the bar is called.
        """
        days = range(self.days - 1, -1, -1)
        for day in tqdm(days, desc=description, unit="day", disable=not progress):
            self._backward(day)

    def _backward(self, day: int) -> None:
        """Fill in the values of ``day`` from those of the next."""
        count = self.size.base_level * self.size.fitness
        bellman.induce(
            np.zeros((count, 2), dtype=STATE),
            np.zeros((count, 1), dtype=OUTCOME),
            self._record,
            self._targets,
            self._mask,
            self._mean_loads,
            self._tables,
            self._habits,
            self.expected(day + 1),
            self.axes,
            self.values[day],
        )


def habit_sessions(record: NDArray[np.void], tables: Tables, count: int) -> NDArray[np.float64]:
    """Return equally likely habit sessions, points.

    Args:
        record: Record array of ``PERSON``, (1,).
        tables: Tables of the person's adherence.
        count: How many.
    """
    middles = (np.arange(count) + 0.5) / count
    if tables.sessions_trimp.size:
        return np.quantile(tables.sessions_trimp, middles)
    normal = NormalDist()
    return np.array([drawn_habit(record[0], normal.inv_cdf(middle)) for middle in middles])


def motivation_transitions(
    record: NDArray[np.void], axis: NDArray[np.float64], shares: int
) -> NDArray[np.float32]:
    """Return how motivation moves for each kind of outcome, (shares + 2, m, m).

    Args:
        record: Record array of ``PERSON``, (1,).
        axis: Grid points of the motivation, (m,).
        shares: Into how many equal shares of a plan a failure may fall.
    """
    person = record[0]
    kinds = [(True, (k + 0.5) / shares) for k in range(shares)] + [(True, 1.0), (False, 0.0)]
    nodes, weights = normal_nodes()
    matrices = np.empty((len(kinds), axis.size, axis.size), np.float32)
    for kind, (planned, share) in enumerate(kinds):
        for i, motivation in enumerate(axis):
            after = np.array(
                [
                    next_motivation(
                        float(motivation),
                        float(person["persistence"]),
                        float(person["success_effect"]),
                        float(person["failure_effect"]),
                        planned,
                        share,
                        float(person["motivation_sd"] * node),
                    )
                    for node in nodes
                ]
            )
            after -= float(person["burden"]) * planned
            matrices[kind, i] = weights @ hat_weights(axis, after)
    return matrices


def solve(
    environment: FitnessFatigueEnv,
    size: GridSize | None = None,
    *,
    progress: bool = False,
    cache: bool = True,
) -> DynamicProgram:
    """Solve an environment under FitRec adherence by backward induction.

    Args:
        environment: The unwrapped environment; its individual, stage, days, weights of the reward
            and forbidden plans count.
        size: How fine the grid is; None for the default.
        progress: Whether to show a bar.
        cache: Whether to read the values from the user's cache folder, and to keep them there.

    Raises:
        ValueError: If the environment has another adherence, continuous plans or a population.
    """
    _require_solvable(environment)
    size = size or GridSize()
    if not cache:
        return _solve(environment, size, progress=progress)
    key = _key(environment, size)
    return cached(
        f"dynamic_programs/{key}.npz",
        read=lambda path: _read(path, key, environment, size),
        make=lambda: _solve(environment, size, progress=progress),
        write=lambda program, path: _write(program, path, key),
    )


def _solve(environment: FitnessFatigueEnv, size: GridSize, *, progress: bool) -> DynamicProgram:
    """Return the solution, found now; see ``solve``."""
    simple = scout_simple_policies(environment)
    coarse = DynamicProgram(environment, _SCOUTING_SIZE, simple, grid_limits(simple))
    coarse.induce(progress=progress, description="scouting")
    scouted = scout(environment, coarse.actions)
    for _ in range(_ROUNDS):
        limits = grid_limits(scouted)
        # Beyond the grid more fatigue costs nothing more, which a policy would make use of.
        limits[2, 1] = max(limits[2, 1], grid_limits(simple)[2, 1])
        program = DynamicProgram(environment, size, scouted, limits)
        program.induce(progress=progress, description="solving")
        met = scout(environment, program.actions)
        if program.outside(met) <= _NEGLIGIBLE_OUTSIDE:
            break
        # The finer solution goes where the coarse one did not.
        scouted = np.concatenate([scouted, met])
    return program


def _require_solvable(environment: FitnessFatigueEnv) -> None:
    task = environment.task
    if not isinstance(environment.adherence, FitRecAdherence | Fitrec2Adherence):
        raise ValueError(
            "the dynamic program needs adherence 'fitrec' or 'fitrec2', got "
            f"{task.adherence!r}: under replay adherence perfect foresight is the bound (see "
            "fitgym.planning.one_step)"
        )
    task.require_taken_up("the dynamic program, of whose grid dosage is no axis,")
    if task.continuous:
        raise ValueError("the dynamic program needs ten plans, got continuous=True")
    if environment.population is not None:
        raise ValueError("the dynamic program needs one individual, got 'population'")


def _key(environment: FitnessFatigueEnv, size: GridSize) -> str:
    """Return a hash of everything that a solution depends on."""
    tables = environment.adherence.tables
    facts = [FORMAT, asdict(size), environment.days, environment.individual.plans_trimp]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for array in (environment.person, environment.action_mask, *tables):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:24]


def _write(program: DynamicProgram, path: Path, key: str) -> None:
    limits = np.array([[axis[0], axis[-1]] for axis in program.axes])
    arrays = {"values": program.values, "scouted": program.scouted, "limits": limits}
    write_arrays(path, key, arrays)


def _read(path: Path, key: str, environment: FitnessFatigueEnv, size: GridSize) -> DynamicProgram:
    arrays = read_arrays(path, key)
    program = DynamicProgram(environment, size, arrays["scouted"], arrays["limits"])
    program.values = arrays["values"]
    return program
