"""Drawing a season: a line a day as text, or one picture of it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.figures import COLOURS, new_figure, tidy_axes

__all__ = ["picture", "text"]


def text(history: Sequence[Mapping[str, Any]]) -> str:
    """Return the season as text, a line a day.

    Args:
        history: The infos of the reset and of every step since.
    """
    start = history[0]
    lines = [
        "day  plan  planned    done  met  base level   fitness   fatigue  performance",
        f"{'start':<26}      {start['base_level']:11.2f} {start['fitness']:9.2f} "
        f"{start['fatigue']:9.2f} {start['performance']:12.2f}",
    ]
    for day, info in enumerate(history[1:], start=1):
        plan = f"{info['plan']:4d} {info['plan_trimp']:8.1f}" if info["plan"] else "none        -"
        met = " yes" if info["met"] else "  no" if info["plan"] else "   -"
        lines.append(
            f"{day:3d}  {plan} {info['done_trimp']:7.1f} {met} {info['base_level']:11.2f} "
            f"{info['fitness']:9.2f} {info['fatigue']:9.2f} {info['performance']:12.2f}"
        )
    return "\n".join(lines) + "\n"


def picture(history: Sequence[Mapping[str, Any]], *, days: int, title: str) -> NDArray[np.uint8]:
    """Return the season as a picture (600, 960, 3): sessions above, performance and stocks below.

    Args:
        history: The infos of the reset and of every step since.
        days: Length of the season.
        title: What to write above.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.patches import Patch

    figure = new_figure(9.6, 6.0)
    canvas = FigureCanvasAgg(figure)
    sessions, performance, stocks = figure.subplots(3, 1, sharex=True)
    above_right = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "frameon": False}
    steps = history[1:]
    day = np.arange(1, len(steps) + 1)
    sessions.bar(
        day,
        [info["plan_trimp"] for info in steps],
        width=0.9,
        facecolor="none",
        edgecolor=COLOURS["grey"],
    )
    sessions.bar(
        day,
        [info["done_trimp"] for info in steps],
        width=0.55,
        color=[COLOURS["green"] if info["met"] else COLOURS["orange"] for info in steps],
    )
    sessions.legend(
        handles=[
            Patch(facecolor="none", edgecolor=COLOURS["grey"], label="planned"),
            Patch(color=COLOURS["green"], label="done, plan met"),
            Patch(color=COLOURS["orange"], label="done, plan not met or none"),
        ],
        ncols=3,
        fontsize=8,
        **above_right,
    )
    tidy_axes(sessions, title, y_label="points")

    since_start = np.arange(len(history))
    performance.plot(since_start, [info["performance"] for info in history], color=COLOURS["ink"])
    tidy_axes(performance, y_label="performance (VDOT)")
    for name, colour in (("fitness", "blue"), ("fatigue", "red"), ("base_level", "grey")):
        stocks.plot(
            since_start,
            [info[name] for info in history],
            color=COLOURS[colour],
            label=name.replace("_", " "),
        )
    stocks.set_yscale("symlog")
    stocks.legend(fontsize=8, ncols=3, **above_right)
    tidy_axes(stocks, x_label="day", y_label="stocks (log scale)")
    stocks.set_xlim(0, days + 1)

    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]
