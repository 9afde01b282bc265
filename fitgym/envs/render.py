"""Drawing a season: a line a day as text, or one picture of it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.fitrec import SessionTrace
from fitgym.common.figures import COLOURS, new_figure, tidy_axes
from fitgym.model.daniels import Zone

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
        planned = info["plan_trimp"] > 0.0
        # Continuous plans have no number.
        number = info.get("plan", "-")
        plan = f"{number:>4} {info['plan_trimp']:8.1f}" if planned else "none        -"
        met = " yes" if info["met"] else "  no" if planned else "   -"
        lines.append(
            f"{day:3d}  {plan} {info['done_trimp']:7.1f} {met} {info['base_level']:11.2f} "
            f"{info['fitness']:9.2f} {info['fatigue']:9.2f} {info['performance']:12.2f}"
        )
    return "\n".join(lines) + "\n"


# Zones from easy to repetition, from light to strong.
_ZONE_COLOURS = ("#DCE9F5", "#FCE9C4", "#F9CFA8", "#F3A98F", "#DE8A8A")


def picture(
    history: Sequence[Mapping[str, Any]], trace: SessionTrace | None, *, days: int, title: str
) -> NDArray[np.uint8]:
    """Return the season as a picture (720, 960, 3) of uint8.

    From top to bottom: sessions planned and done; performance; stocks; and, where heart rates are
    predicted, the last session's, with its zones and where it stopped.

    Args:
        history: The infos of the reset and of every step since.
        trace: Heart rate of the last session, None if there is none.
        days: Length of the season.
        title: What to write above.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = new_figure(9.6, 7.2)
    canvas = FigureCanvasAgg(figure)
    has_heart_rate = "motivation" in history[0]
    panels = figure.subplots(4 if has_heart_rate else 3, 1)
    sessions, performance, stocks = panels[:3]
    _draw_sessions(sessions, history[1:])
    tidy_axes(sessions, title, y_label="points")
    since_start = np.arange(len(history))
    performance.plot(since_start, [info["performance"] for info in history], color=COLOURS["ink"])
    tidy_axes(performance, y_label="VDOT")
    for name, colour in (("fitness", "blue"), ("fatigue", "red"), ("base_level", "grey")):
        stocks.plot(
            since_start,
            [info[name] for info in history],
            color=COLOURS[colour],
            label=name.replace("_", " "),
        )
    stocks.set_yscale("symlog")
    stocks.legend(fontsize=8, ncols=3, **_ABOVE_RIGHT)
    tidy_axes(stocks, x_label="day", y_label="stocks (log)")
    for axes in panels[:3]:
        axes.set_xlim(0, days + 1)
    if has_heart_rate:
        _draw_heart_rate(panels[3], trace)

    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return pixels[..., :3].copy()


_ABOVE_RIGHT: dict[str, Any] = {
    "loc": "lower right",
    "bbox_to_anchor": (1.0, 1.0),
    "frameon": False,
    "borderaxespad": 0.1,
}


def _draw_sessions(axes: Axes, steps: Sequence[Mapping[str, Any]]) -> None:
    """Draw what was planned and done, a bar a day."""
    from matplotlib.patches import Patch

    day = np.arange(1, len(steps) + 1)
    axes.bar(
        day,
        [info["plan_trimp"] for info in steps],
        width=0.9,
        facecolor="none",
        edgecolor=COLOURS["grey"],
    )
    axes.bar(
        day,
        [info["done_trimp"] for info in steps],
        width=0.55,
        color=[COLOURS["green"] if info["met"] else COLOURS["orange"] for info in steps],
    )
    axes.legend(
        handles=[
            Patch(facecolor="none", edgecolor=COLOURS["grey"], label="planned"),
            Patch(color=COLOURS["green"], label="done, plan met"),
            Patch(color=COLOURS["orange"], label="done, plan not met or none"),
        ],
        ncols=3,
        fontsize=8,
        **_ABOVE_RIGHT,
    )


def _draw_heart_rate(axes: Axes, trace: SessionTrace | None) -> None:
    """Draw the heart rate of the last session, done and not done, over its zones."""
    from matplotlib.patches import Patch

    tidy_axes(axes, x_label="minute of the last session", y_label="bpm")
    if trace is None:
        axes.text(0.5, 0.5, "no session yet", ha="center", transform=axes.transAxes)
        return
    starts = np.append(0.0, trace.end_min[:-1])
    for start, end, zone in zip(starts, trace.end_min, trace.zone, strict=True):
        axes.axvspan(start, end, color=_ZONE_COLOURS[zone], linewidth=0)
    middle = 0.5 * (starts + trace.end_min)
    done = starts < trace.done_min
    axes.plot(middle, trace.heart_rate_bpm, color=COLOURS["grey"], linestyle=":", label="planned")
    axes.plot(middle[done], trace.heart_rate_bpm[done], color=COLOURS["red"], label="done")
    if trace.done_min < trace.end_min[-1]:
        axes.axvline(trace.done_min, color=COLOURS["ink"], linewidth=1.0)
    axes.set_xlim(0, trace.end_min[-1])
    zones = sorted(set(trace.zone.tolist()))
    handles, _ = axes.get_legend_handles_labels()
    handles += [Patch(color=_ZONE_COLOURS[zone], label=Zone(zone).name.lower()) for zone in zones]
    axes.legend(handles=handles, ncols=6, fontsize=8, **_ABOVE_RIGHT)
    what = "habit session, drawn as the nearest plan" if trace.by_habit else ""
    axes.set_title(what, loc="left", fontsize=8)
