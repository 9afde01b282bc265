"""Pictures of a solution: the plan by day against the person's state, and a typical season."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.figures import COLOURS, new_figure, tidy_axes
from fitgym.planning.dynamic_programming import DynamicProgram
from fitgym.planning.simulation import Seasons

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEVELS = 41
# What the map is drawn against, and what it is called.
_COLUMNS = {
    "base_level": "base level B (points)",
    "fatigue": "fatigue G (points)",
    "motivation": "motivation m",
}


def typical_season(seasons: Seasons) -> int:
    """Return the index of the season whose return is the median one."""
    order = np.argsort(seasons.returns, kind="stable")
    return int(order[order.size // 2])


def policy_map(
    program: DynamicProgram, seasons: Seasons, column: str
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return levels of one state variable and the plan by level and day, (levels, T).

    The levels reach from the 1st to the 99th percentile of all seasons' days; everything else is
    the median of the day, and the session before is the typical season's.

    Args:
        program: The solution.
        seasons: Seasons of its policy.
        column: Field of ``STATE`` that varies.
    """
    days = len(seasons.actions)
    low, high = np.quantile(seasons.states[column][:days], [0.01, 0.99]).tolist()
    levels = np.linspace(low, high, _LEVELS)
    states = np.tile(seasons.states[:days, typical_season(seasons)], (_LEVELS, 1))
    for field in ("base_level", "fitness", "fatigue", "motivation"):
        states[field] = np.median(seasons.states[field][:days], axis=1)
    states[column] = levels[:, None]
    return levels, program.actions(states.ravel()).reshape(states.shape)


def policy_figure(program: DynamicProgram, seasons: Seasons) -> Figure:
    """Draw the plan by day against base level, fatigue and motivation."""
    from matplotlib.colors import BoundaryNorm

    figure = new_figure(8.0, 9.0)
    plans = len(program.individual.plans_trimp) + 1
    norm = BoundaryNorm(np.arange(plans + 1) - 0.5, 256)
    picture: Any = None
    axes = figure.subplots(len(_COLUMNS), 1, sharex=True)
    for axis, (column, label) in zip(axes, _COLUMNS.items(), strict=True):
        levels, actions = policy_map(program, seasons, column)
        days = np.arange(1, actions.shape[1] + 1)
        picture = axis.pcolormesh(
            days, levels, actions, cmap="viridis", norm=norm, shading="nearest", rasterized=True
        )
        middle = np.median(seasons.states[column][:-1], axis=1)
        axis.plot(days, middle, color="white", linewidth=1.5)
        tidy_axes(axis, f"Plan by day and {label.split()[0]}", "", label)
        axis.grid(False)
    axes[0].set_title(
        f"{program.individual.name}: best plan by day and base level "
        "(the rest as in the median season, white)",
        loc="left",
        fontsize=10,
    )
    axes[-1].set_xlabel("day")
    bar = figure.colorbar(picture, ax=axes, ticks=np.arange(plans))
    bar.set_label("plan (0: none)")
    return figure


def season_figure(program: DynamicProgram, seasons: Seasons) -> Figure:
    """Draw the season whose return is the median one: plans and sessions, stocks, motivation."""
    chosen = typical_season(seasons)
    outcomes, states = seasons.outcomes[:, chosen], seasons.states[:, chosen]
    days = np.arange(1, len(outcomes) + 1)
    figure = new_figure(8.0, 9.0)
    sessions, performance, stocks, motivation = figure.subplots(4, 1, sharex=True)
    sessions.bar(days, outcomes["plan_trimp"], color=COLOURS["sky"], label="planned")
    sessions.bar(days, outcomes["done_trimp"], width=0.45, color=COLOURS["blue"], label="done")
    tidy_axes(
        sessions,
        f"{program.individual.name}: the median season, return {seasons.returns[chosen]:.0f}",
        "",
        "points",
    )
    sessions.legend(ncols=2, fontsize=8)
    performance.plot(days, outcomes["performance"], color=COLOURS["ink"])
    tidy_axes(performance, "", "", "performance (VDOT)")
    stocks.plot(days, outcomes["fitness"], color=COLOURS["green"], label="fitness F")
    stocks.plot(days, outcomes["fatigue"], color=COLOURS["red"], label="fatigue G")
    stocks.plot(days, outcomes["base_level"], color=COLOURS["orange"], label="base level B")
    tidy_axes(stocks, "", "", "points")
    stocks.legend(ncols=3, fontsize=8)
    motivation.plot(days, states["motivation"][:-1], color=COLOURS["purple"])
    motivation.axhline(0.0, color=COLOURS["grey"], linewidth=0.8)
    tidy_axes(motivation, "", "day", "motivation m")
    return figure
