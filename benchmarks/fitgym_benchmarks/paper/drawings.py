"""Figures of the paper benchmark, readable on a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fitgym.common.figures import COLOURS, new_figure, tidy_axes
from fitgym.common.statistics import Interval
from fitgym_agents.agent import LossPoint
from fitgym_benchmarks.paper.claims import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches; at a phone's width text is still readable.
_WIDTH, _HEIGHT, _ROW = 5.6, 3.3, 0.24

_CYCLE = ("blue", "orange", "green", "red", "purple", "sky", "grey")


@dataclass(frozen=True)
class Line:
    """One policy over the weights of the reward.

    Attributes:
        label: Whose.
        means: Mean returns with their intervals, one per weight.
        met: Plans met as a share of those given, one per weight; NaN where none was given.
    """

    label: str
    means: tuple[Interval, ...]
    met: tuple[float, ...]


def sensitivity(
    letter: str, values: Sequence[float], default: float, lines: Sequence[Line]
) -> Figure:
    """Return returns, and below them plans met, over a weight of the reward (figures 10, 11).

    Args:
        letter: ``"mu"`` or ``"rho"``.
        values: The weights.
        default: The weight as registered, which is marked.
        lines: The policies.
    """
    figure = new_figure(_WIDTH, 1.6 * _HEIGHT)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    for line, name in zip(lines, _CYCLE, strict=False):
        colour = COLOURS[name]
        above.plot(values, [one.mean for one in line.means], ".-", color=colour, label=line.label)
        above.fill_between(
            values,
            [one.low for one in line.means],
            [one.high for one in line.means],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
        if not np.isnan(line.met).all():
            below.plot(values, 100.0 * np.array(line.met), ".-", color=colour)
    for axes in (above, below):
        axes.axvline(default, color=COLOURS["ink"], linewidth=0.8, linestyle=":")
    tidy_axes(above, y_label="mean return")
    tidy_axes(below, x_label=f"{letter} (dotted: as registered)", y_label="plans met (%)")
    below.set_ylim(-4, 104)
    above.yaxis.set_major_formatter("{x:,.10g}")
    _legend_above(above)
    return figure


def distributions(returns: Mapping[str, Floats], coloured: str) -> Figure:
    """Return the returns of episodes as boxes from the first to the third quartile (figure 9).

    Whiskers reach to the 5th and the 95th percentile; the line is the median, the dot the mean.

    Args:
        returns: By policy, (E,), the first on top.
        coloured: Whose box is coloured.
    """
    figure = new_figure(_WIDTH, 0.8 + _ROW * len(returns))
    axes = figure.subplots()
    for height, (label, values) in enumerate(reversed(list(returns.items()))):
        colour = COLOURS["blue" if label == coloured else "grey"]
        low, first, middle, third, high = np.percentile(values, [5, 25, 50, 75, 95])
        axes.plot([low, high], [height, height], color=colour, linewidth=1.2)
        axes.plot(
            [first, third], [height, height], color=colour, linewidth=7, solid_capstyle="butt"
        )
        axes.plot([middle, middle], [height - 0.3, height + 0.3], color=COLOURS["ink"], linewidth=1)
        axes.plot(values.mean(), height, "o", markersize=3.5, color=COLOURS["ink"])
    axes.set_yticks(range(len(returns)), list(returns)[::-1])
    axes.set_ylim(-0.7, len(returns) - 0.3)
    axes.tick_params(axis="y", length=0)
    tidy_axes(axes, x_label="return of an episode")
    axes.xaxis.set_major_formatter("{x:,.10g}")
    axes.locator_params(axis="x", nbins=5)
    return figure


def learning(curves: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """Return mean returns in training over the steps (figure 8).

    Args:
        curves: By label, points.
    """
    figure = new_figure(_WIDTH, _HEIGHT)
    axes = figure.subplots()
    for (label, curve), name in zip(curves.items(), _CYCLE, strict=False):
        steps, values = np.array(curve, dtype=np.float64).reshape(-1, 2).T
        axes.plot(steps, values, color=COLOURS[name], linewidth=1.2, label=label)
    tidy_axes(axes, x_label="training steps (days)", y_label="mean return")
    _in_steps(axes)
    return figure


def losses(curves: Mapping[str, Sequence[LossPoint]]) -> Figure:
    """Return the training loss over the steps, the critic's above, the actor's below (figure 8).

    Args:
        curves: By label, points.
    """
    figure = new_figure(_WIDTH, 1.4 * _HEIGHT)
    rows = figure.subplots(2, 1, sharex=True)
    for axes, column, name in zip(rows, (2, 1), ("value loss", "policy loss"), strict=True):
        for (label, curve), colour in zip(curves.items(), _CYCLE, strict=False):
            points = [(point[0], point[column]) for point in curve if point[column] is not None]
            steps, values = np.array(points, dtype=np.float64).reshape(-1, 2).T
            axes.plot(steps, values, color=COLOURS[colour], linewidth=0.9, label=label)
        tidy_axes(axes, y_label=name)
    rows[1].set_xlabel("training steps (days)")
    _in_steps(rows[0])
    return figure


def dots(groups: Mapping[str, Mapping[str, Interval]], x_label: str) -> Figure:
    """Return a row per group with a dot and an interval per policy.

    Args:
        groups: By row, the first on top, estimates by policy.
        x_label: What is estimated.
    """
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    figure = new_figure(_WIDTH, 0.9 + 0.42 * len(groups))
    axes = figure.subplots()
    offsets = np.linspace(0.18, -0.18, len(names)) if len(names) > 1 else [0.0]
    for name, offset, colour in zip(names, offsets, _CYCLE, strict=False):
        for height, group in enumerate(reversed(list(groups.values()))):
            if name in group:
                one, y = group[name], height + offset
                label = name if height == len(groups) - 1 else None
                axes.plot([one.low, one.high], [y, y], color=COLOURS[colour], linewidth=1.8)
                axes.plot(one.mean, y, "o", markersize=4.5, color=COLOURS[colour], label=label)
    axes.set_yticks(range(len(groups)), list(groups)[::-1])
    axes.set_ylim(-0.6, len(groups) - 0.4)
    axes.tick_params(axis="y", length=0)
    tidy_axes(axes, x_label=x_label)
    _legend_above(axes)
    return figure


def _in_steps(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,.10g}")
    axes.locator_params(axis="x", nbins=5)
    _legend_above(axes)


def _legend_above(axes: Axes) -> None:
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=3,
        frameon=False,
        fontsize=8.5,
        borderpad=0.1,
        handlelength=1.4,
        columnspacing=1.2,
    )
