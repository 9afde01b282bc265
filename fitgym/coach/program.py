"""A season's plans by backward induction under constraints, on the coach's coarse grid.

The grid is that of ``fitgym.planning.dynamic_programming``, over (ln B, F, G, m), with a layer for
each number of days that a hard plan must still wait. Days that are not free, sessions that are too
long and hard days that follow each other are left out of the induction exactly. The acute:chronic
ratio needs 27 days of load, which no grid holds: within the induction the sums of the last 6 and 27
days are their least-squares estimates from base level, fitness and fatigue over simulated seasons;
on the day itself the sums are known, and the cap is kept exactly.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fitgym.adherence.base import Tables
from fitgym.coach import induction
from fitgym.coach.constraints import Constraints, calendar_mask
from fitgym.coach.goals import Goal
from fitgym.coach.person import MOTIVATIONS, Coached, Morning, environment_of, last_loads
from fitgym.coach.seasons import Choice, fixed_choice, play, random_choice
from fitgym.common.cache import cached, read_arrays, write_arrays
from fitgym.envs.records import OUTCOME, STATE
from fitgym.model.strain import ACUTE_DAYS, CHRONIC_DAYS
from fitgym.planning import bellman
from fitgym.planning.dynamic_programming import habit_sessions, motivation_transitions
from fitgym.planning.grid import GridSize, grid_limits, hat_weights
from fitgym.planning.scouting import visited_rows

Array = NDArray[np.float64]

# Raised when the meaning of kept values changes.
FORMAT = 3
# Fine enough for advice within seconds (docs/coach.md tells what a finer grid would earn).
SIZE = GridSize(base_level=6, fitness=6, fatigue=8, motivation=13, shares=4, habits=4)
_SCOUTED_SEASONS = 40
_SEED = 7_100_000


class SeasonProgram:
    """The values of every state on every day of a season under constraints.

    Attributes:
        coached: Whose.
        morning: The morning of the season's first day.
        days: Days of the season.
        goal: What counts.
        constraints: What plans keep to.
        hard_trimp: Points from which a day is hard.
        targets: Points of the actions, 0 first.
        mask: (days, actions) what each day allows by date and length.
        hard: (actions,) whether each action is hard.
        habit_odds: (days,) log odds of a session of one's own on each day, at motivation 0: shifted
            by the day of the week, and minus infinity on days that are not free.
        axes: Grid points along ln B, F, G and m.
        values: (days + 1, layers, ln B, F, G, m) largest expected return from a day on, float32.
    """

    def __init__(
        self,
        coached: Coached,
        morning: Morning,
        days: int,
        goal: Goal | None = None,
        constraints: Constraints | None = None,
        size: GridSize = SIZE,
    ) -> None:
        """Lay out the season; ``solve`` fills in the values.

        Raises:
            ValueError: If the constraints leave nothing to plan.
        """
        self.coached = coached
        self.morning = morning
        self.days = days
        self.goal = goal or Goal()
        self.constraints = constraints or Constraints()
        self.size = size
        individual = coached.individual
        self.environment = environment_of(individual, days)
        self.record = self.environment.person
        self.tables: Tables = self.environment.adherence.tables
        self.targets = np.array([0.0, *individual.plans_trimp])
        first = date.fromisoformat(morning.date)
        self.mask = calendar_mask(self.constraints, individual.plans_trimp, first, days)
        dates = [first + timedelta(days=day) for day in range(days)]
        shifts = np.array([coached.weekday_odds[day.weekday()] for day in dates])
        free = np.array([self.constraints.is_free(day) for day in dates])
        self.habit_odds = np.where(free, float(self.record["habit_log_odds"][0]) + shifts, -np.inf)
        self.hard_trimp = self.constraints.hard_trimp or morning.base_level
        self.hard = self.targets >= self.hard_trimp
        self.layers = self.constraints.hard_gap + 1
        self.habits = habit_sessions(self.record, self.tables, size.habits)
        self._hard_habits = self.habits >= self.hard_trimp
        self.weights, self.extra, self._final = self.goal.terms(
            self.targets.tolist(), size.shares, self.habits
        )
        log_loads = np.empty((self.tables.loads.shape[1], self.targets.size - 1, size.shares + 1))
        bellman.fill_log_loads(self.tables, int(self.record["table"][0]), log_loads)
        nodes = self.tables.load_slopes.shape[1]
        self._log_loads = np.ascontiguousarray(
            log_loads.reshape(nodes, -1, *log_loads.shape[1:]).swapaxes(0, 1)
        )
        self.loads = np.exp(self._log_loads)
        self.row_of = self.environment.adherence.row_of
        self._progress = False
        self.axes: tuple[Array, ...] = ()
        self._mean_loads = self.loads[0]
        self._ceiling = np.zeros(0)
        self.values = np.zeros(0, dtype=np.float32)

    # ----- solving

    def solve(self, *, cache: bool = True, progress: bool = False) -> SeasonProgram:
        """Fill in the values, or read them from the user's cache folder; return the program.

        Args:
            cache: Whether to keep them, and to use those that were kept.
            progress: Whether to show a bar on standard error.
        """
        self._progress = progress
        if not cache:
            self._solve()
            return self
        key = self.key()

        def make() -> dict[str, NDArray[np.generic]]:
            self._solve()
            limits = np.array([[axis[0], axis[-1]] for axis in self.axes])
            return {
                "values": self.values,
                "limits": limits,
                "mean_loads": self._mean_loads,
                "ceiling": self._ceiling,
            }

        arrays = cached(
            f"coach_programs/{key}.npz",
            read=lambda path: read_arrays(path, key),
            make=make,
            write=lambda found, path: write_arrays(path, key, found),
        )
        self._lay_out(arrays["limits"])
        self._mean_loads, self._ceiling = arrays["mean_loads"], arrays["ceiling"]
        self.values = arrays["values"]
        return self

    def key(self) -> str:
        """Return a hash of everything that the values depend on."""
        facts = [
            FORMAT,
            asdict(self.size),
            self.days,
            asdict(self.goal),
            self.constraints.hard_gap,
            self.constraints.acwr,
            self.constraints.least_chance,
            self.hard_trimp,
            asdict(self.morning),
            self.targets.tolist(),
            last_loads(self.coached.loads).tolist() if self.constraints.acwr else None,
        ]
        digest = hashlib.sha256(json.dumps(facts).encode())
        for array in (self.record, self.mask, self.habit_odds, *self.tables):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:24]

    def _solve(self) -> None:
        simple: list[NDArray[np.void]] = []
        loads: list[Array] = []
        choices: list[Choice] = [fixed_choice(action) for action in range(0, self.targets.size, 2)]
        choices.append(random_choice(self.targets.size))
        for choice in choices:
            self._scout(choice, simple, loads)
        limits = grid_limits(np.concatenate([part.ravel() for part in simple]))
        self._induce(limits, simple, loads)
        own: list[NDArray[np.void]] = []
        own_loads: list[Array] = []
        self._scout(self._known_motivation, own, own_loads)
        finer = grid_limits(np.concatenate([part.ravel() for part in own]))
        # Beyond the grid more fatigue costs nothing more, which a policy would make use of.
        finer[2, 1] = max(finer[2, 1], limits[2, 1])
        # Little is met of what a season on one path meets, so keep some of the wide grid.
        finer[3] = [min(finer[3, 0], -0.8), max(finer[3, 1], 0.6)]
        self._induce(finer, own, own_loads)

    def _scout(self, choice: Choice, states: list[NDArray[np.void]], loads: list[Array]) -> None:
        """Play seasons and note the states (T + 1, E) and points done (T, E)."""
        generator = np.random.default_rng(_SEED)
        belief = np.array(self.morning.belief)
        starts = np.repeat(self.morning.state(), _SCOUTED_SEASONS)
        starts["motivation"] = generator.choice(MOTIVATIONS, _SCOUTED_SEASONS, p=belief)
        starts["key"] = generator.integers(0, 2**64, _SCOUTED_SEASONS, dtype=np.uint64)
        seasons = play(self.environment, starts, self.days, self.masked(choice))
        states.append(seasons.states)
        loads.append(seasons.outcomes["done_trimp"])

    def masked(self, choice: Choice) -> Choice:
        """Return a choice that takes no plan on days that allow none of that kind."""

        def act(states: NDArray[np.void]) -> NDArray[np.int64]:
            mask = self.mask[min(int(states["day"][0]), self.days - 1)]
            actions = choice(states)
            return np.where(mask[actions], actions, 0)

        return act

    def _known_motivation(self, states: NDArray[np.void]) -> NDArray[np.int64]:
        waits = np.zeros(states.size, dtype=np.int64)
        values = self.plan_values(states, waits)
        known = hat_weights(self.axes[3], states["motivation"])
        worth = np.einsum("ijm,im->ij", values, known)
        worth[:, ~self.mask[min(int(states["day"][0]), self.days - 1)]] = -np.inf
        return np.asarray(worth.argmax(axis=1))

    def _lay_out(self, limits: Array) -> None:
        self.axes = tuple(
            np.linspace(low, high, count)
            for (low, high), count in zip(limits, self.size.shape, strict=True)
        )
        self._transitions = motivation_transitions(self.record, self.axes[3], self.size.shares)

    def _induce(self, limits: Array, states: list[NDArray[np.void]], loads: list[Array]) -> None:
        self._lay_out(limits)
        met = np.concatenate([part[:-1].ravel() for part in states])
        rows, visits = np.unique(visited_rows(self.row_of, met), return_counts=True)
        self._mean_loads = np.exp(np.average(self._log_loads[rows], axis=0, weights=visits))
        self._ceiling = self._estimated_ceiling(states, loads)
        shape = (self.days + 1, self.layers, *self.size.shape)
        self.values = np.zeros(shape, dtype=np.float32)
        _, fitness, fatigue, _ = self.axes
        person = self.record[0]
        form = person["fitness_utility"] * fitness[:, None] - person["fatigue_utility"] * fatigue
        self.values[-1] = self._final[0] * form[None, None, :, :, None]
        pairs = self.size.base_level * self.size.fitness
        days = range(self.days - 1, -1, -1)
        for day in tqdm(days, "planning the season", unit="day", disable=not self._progress):
            induction.induce(
                np.zeros((pairs, 2), dtype=STATE),
                np.zeros((pairs, 1), dtype=OUTCOME),
                self.record,
                self.targets,
                self.mask[day],
                self._ceiling,
                self.constraints.least_chance,
                self._mean_loads,
                self.tables,
                self.habits,
                self.habit_odds[day],
                self._expected(day + 1),
                self.axes,
                self.hard,
                self._hard_habits,
                self.weights,
                self.extra,
                self.values[day],
            )

    def _expected(self, day: int) -> NDArray[np.float32]:
        """Return the values of a day, expected the day before: (layers, kinds, ln B, F, G, m)."""
        values = self.values[day]
        flat = values.reshape(-1, self.size.motivation)
        moved = [(flat @ matrix.T).reshape(values.shape) for matrix in self._transitions]
        return np.stack(moved, axis=1)

    def _estimated_ceiling(self, states: list[NDArray[np.void]], loads: list[Array]) -> Array:
        """Return the most points that the cap allows at each grid point, (ln B, F, G)."""
        base_level, fitness, fatigue, _ = self.axes
        grid = np.stack(np.meshgrid(base_level, fitness, fatigue, indexing="ij"), axis=-1)
        cap = self.constraints.acwr
        if cap is None or cap >= CHRONIC_DAYS / ACUTE_DAYS:
            return np.full(grid.shape[:-1], np.inf)
        before = last_loads(self.coached.loads, CHRONIC_DAYS)
        rows, sums = [], []
        for part, done in zip(states, loads, strict=True):
            known = np.repeat(before[:, None], done.shape[1], axis=1)
            known = np.concatenate([np.zeros((CHRONIC_DAYS - len(before), done.shape[1])), known])
            total = np.cumsum(np.concatenate([known, done]), axis=0)
            last = np.arange(done.shape[0]) + CHRONIC_DAYS - 1
            acute = total[last] - total[last - (ACUTE_DAYS - 1)]
            chronic = total[last] - total[last - (CHRONIC_DAYS - 1)]
            rows.append(_stocks(part[:-1]))
            sums.append(np.stack([acute.ravel(), chronic.ravel()], axis=1))
        found, *_ = np.linalg.lstsq(np.concatenate(rows), np.concatenate(sums), rcond=None)
        points = np.concatenate([np.ones((*grid.shape[:-1], 1)), grid], axis=-1) @ found
        room = cap * points[..., 1] / CHRONIC_DAYS - points[..., 0] / ACUTE_DAYS
        return np.asarray(np.maximum(room, 0.0) / (1.0 / ACUTE_DAYS - cap / CHRONIC_DAYS))

    # ----- acting

    def plan_values(
        self, states: NDArray[np.void], waits: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return what each action is worth at each motivation of the grid, (N, actions, m).

        It is the reward expected today and the best from tomorrow on, one day ahead of exactly
        these stocks and this history. Actions that are not allowed have their worth, too.

        Args:
            states: (N,) of ``STATE`` on one day of the season.
            waits: (N,) how many days no hard plan may follow.
        """
        result = np.empty((states.size, self.targets.size, self.size.motivation))
        day = int(states["day"][0])
        induction.look_ahead(
            states,
            waits,
            np.zeros(2, dtype=STATE),
            np.zeros(1, dtype=OUTCOME),
            self.record,
            self.targets,
            self.loads,
            visited_rows(self.row_of, states),
            self.tables,
            self.habits,
            self.habit_odds[min(day, self.days - 1)],
            self._expected(min(day + 1, self.days)),
            self.axes,
            self.hard,
            self._hard_habits,
            self.weights,
            self.extra,
            result,
        )
        return result

    def worth(self, states: NDArray[np.void], beliefs: Array, waits: NDArray[np.int64]) -> Array:
        """Return what each action is worth on average over beliefs (N, M), (N, actions)."""
        coarse = beliefs @ hat_weights(self.axes[3], MOTIVATIONS)
        return np.asarray(np.einsum("ijm,im->ij", self.plan_values(states, waits), coarse))

    @cached_property
    def belief_moves(self) -> Array:
        """How a belief moves for each kind of outcome, (shares + 2, M, M)."""
        moves = motivation_transitions(self.record, MOTIVATIONS, self.size.shares)
        return moves.astype(np.float64)

    def chances(self, state: NDArray[np.void]) -> Array:
        """Return of each plan the chance of each outcome by motivation, (plans, shares + 1, M)."""
        row = self.row_of(int(state["history"][0]), int(state["days_since"][0]))
        result = np.empty((self.targets.size - 1, self.size.shares + 1, MOTIVATIONS.size))
        induction.chances_today(
            state.copy(), self.record, self.loads[row], self.tables, MOTIVATIONS, result
        )
        return result


def _stocks(states: NDArray[np.void]) -> Array:
    """Return one, ln B, F and G of states, (N, 4)."""
    flat = states.ravel()
    columns = [np.ones(flat.size), np.log(flat["base_level"]), flat["fitness"], flat["fatigue"]]
    return np.stack(columns, axis=1)
