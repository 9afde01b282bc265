"""The picture of an episode, drawn fast: axes and labels stay, and each frame draws the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from fitgym.adherence.fitrec import SessionTrace
from fitgym.common.figures import COLOURS, new_figure, tidy_axes
from fitgym.envs.task import Person
from fitgym.model.daniels import Zone

# Zones from easy to repetition, from light to strong.
_ZONE_COLOURS = ("#DCE9F5", "#FCE9C4", "#F9CFA8", "#F3A98F", "#DE8A8A")

_STOCKS = {"fitness": "blue", "fatigue": "red", "base_level": "grey"}

_LEGEND: dict[str, Any] = {
    "loc": "lower right",
    "bbox_to_anchor": (1.0, 1.0),
    "frameon": False,
    "borderaxespad": 0.1,
    "fontsize": 8,
}


class Picture:
    """One figure, drawn again and again: sessions, performance, stocks and the last heart rate.

    Axes, labels and legends are kept as a background, and drawn anew only where axes get other
    ends. These are taken from a coarse scale, so that this happens a few times an episode.
    """

    def __init__(self, days: int, *, heart_rate: bool) -> None:
        """Make the figure.

        Args:
            days: Length of an episode.
            heart_rate: Whether to show the heart rate of the last session.
        """
        self._figure = new_figure(9.6, 7.2)
        self._canvas = FigureCanvasAgg(self._figure)
        axes = self._figure.subplots(4 if heart_rate else 3, 1)
        self._panels = [_Sessions(axes[0]), _Performance(axes[1]), _Stocks(axes[2])]
        for one in axes[:3]:
            one.set_xlim(0, days + 1)
        if heart_rate:
            self._panels.append(_HeartRate(axes[3]))
        self._background: Any = None
        # Title and ends of the axes of the background.
        self._drawn: Any = None

    def draw(
        self, outcomes: NDArray[np.void], trace: SessionTrace | None, person: Person, stage: str
    ) -> NDArray[np.uint8]:
        """Return the picture (720, 960, 3) of uint8.

        Args:
            outcomes: Record array of ``OUTCOME``: the start and every day since.
            trace: Heart rate of the last session, None if there is none.
            person: Who lives through the episode.
            stage: Which stage it is.
        """
        for panel in self._panels:
            panel.show(outcomes, trace, person)
        title = f"{person.individual.name}, {stage}"
        ends = [(*panel.axes.get_xlim(), *panel.axes.get_ylim()) for panel in self._panels]
        if (title, ends) != self._drawn:
            self._panels[0].axes.set_title(title, loc="left", fontsize=10, color=COLOURS["ink"])
            self._draw_background()
            self._drawn = title, ends
        self._canvas.restore_region(self._background)  # type: ignore[no-untyped-call]
        for panel in self._panels:
            for artist in panel.artists:
                panel.axes.draw_artist(artist)
        pixels = np.asarray(self._canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        return pixels[..., :3].copy()

    def _draw_background(self) -> None:
        """Draw everything that is no data."""
        self._canvas.draw()  # type: ignore[no-untyped-call]
        # The layout stays as it is found first, so that axes do not move between frames.
        self._figure.set_layout_engine("none")
        self._background = self._canvas.copy_from_bbox(self._figure.bbox)  # type: ignore[no-untyped-call]


class _Panel:
    """Axes whose data change from frame to frame.

    Attributes:
        axes: The axes.
        artists: What is drawn over the background, from the lowest up.
    """

    def __init__(self, axes: Axes, artists: list[Any]) -> None:
        self.axes = axes
        self.artists = artists
        for artist in artists:
            artist.set_animated(True)

    def show(self, outcomes: NDArray[np.void], trace: SessionTrace | None, person: Person) -> None:
        """Give the artists the episode so far, and the axes ends that hold it."""
        raise NotImplementedError


class _Sessions(_Panel):
    """What was planned and done, a bar a day."""

    def __init__(self, axes: Axes) -> None:
        self._planned = PolyCollection([], facecolors="none", edgecolors=COLOURS["grey"])
        self._done = PolyCollection([])
        for bars in (self._planned, self._done):
            axes.add_collection(bars, autolim=False)
        super().__init__(axes, [self._planned, self._done])
        tidy_axes(axes, " ", y_label="points")
        axes.legend(
            handles=[
                Patch(facecolor="none", edgecolor=COLOURS["grey"], label="planned"),
                Patch(color=COLOURS["green"], label="done, plan met"),
                Patch(color=COLOURS["orange"], label="done, plan not met or none"),
            ],
            ncols=3,
            **_LEGEND,
        )

    def show(self, outcomes: NDArray[np.void], trace: SessionTrace | None, person: Person) -> None:
        days = outcomes[1:]
        self._planned.set_verts(_bars(days["plan_trimp"], 0.9))
        self._done.set_verts(_bars(days["done_trimp"], 0.55))
        self._done.set_facecolor(
            [COLOURS["green"] if met else COLOURS["orange"] for met in days["met"]]
        )
        largest = max(days["plan_trimp"].max(initial=0.0), days["done_trimp"].max(initial=0.0))
        self.axes.set_ylim(0.0, _end(float(largest), 30.0))


class _Performance(_Panel):
    """Performance day by day."""

    def __init__(self, axes: Axes) -> None:
        (self._line,) = axes.plot([], [], color=COLOURS["ink"])
        super().__init__(axes, [self._line])
        tidy_axes(axes, y_label="VDOT")

    def show(self, outcomes: NDArray[np.void], trace: SessionTrace | None, person: Person) -> None:
        performance = outcomes["performance"]
        self._line.set_data(np.arange(len(outcomes)), performance)
        start = float(performance[0])
        self.axes.set_ylim(
            start - _end(start - float(performance.min()), 1.0),
            start + _end(float(performance.max()) - start, 1.0),
        )


class _Stocks(_Panel):
    """Fitness, fatigue and base level day by day."""

    def __init__(self, axes: Axes) -> None:
        self._lines: dict[str, Line2D] = {}
        for name, colour in _STOCKS.items():
            (self._lines[name],) = axes.plot(
                [], [], color=COLOURS[colour], label=name.replace("_", " ")
            )
        super().__init__(axes, list(self._lines.values()))
        axes.set_yscale("symlog")
        axes.legend(ncols=3, **_LEGEND)
        tidy_axes(axes, x_label="day", y_label="stocks (log)")

    def show(self, outcomes: NDArray[np.void], trace: SessionTrace | None, person: Person) -> None:
        for name, line in self._lines.items():
            line.set_data(np.arange(len(outcomes)), outcomes[name])
        largest = max(float(outcomes[name].max()) for name in self._lines)
        self.axes.set_ylim(0.0, _end(largest, 50.0))


class _HeartRate(_Panel):
    """Heart rate of the last session, done and not done, over its zones."""

    def __init__(self, axes: Axes) -> None:
        self._zones = PolyCollection([], linewidths=0)
        axes.add_collection(self._zones, autolim=False)
        (self._planned,) = axes.plot([], [], color=COLOURS["grey"], linestyle=":", label="planned")
        (self._done,) = axes.plot([], [], color=COLOURS["red"], label="done")
        self._end = axes.axvline(0.0, color=COLOURS["ink"], linewidth=1.0)
        self._none = axes.text(0.5, 0.5, "no session yet", ha="center", transform=axes.transAxes)
        self._remark = axes.text(0.0, 1.03, "", fontsize=8, transform=axes.transAxes)
        super().__init__(
            axes, [self._zones, self._planned, self._done, self._end, self._none, self._remark]
        )
        tidy_axes(axes, x_label="minute of the last session", y_label="bpm")
        zones = [
            Patch(color=colour, label=Zone(zone).name.lower())
            for zone, colour in enumerate(_ZONE_COLOURS)
        ]
        axes.legend(handles=[self._planned, self._done, *zones], ncols=7, **_LEGEND)

    def show(self, outcomes: NDArray[np.void], trace: SessionTrace | None, person: Person) -> None:
        physiology = person.individual.physiology
        low, high = physiology.resting_heart_rate, physiology.maximum_heart_rate
        self.axes.set_xlim(0.0, float(person.adherence.tables.segments["minutes"].max()))
        self.axes.set_ylim(low, high)
        for artist in self.artists:
            artist.set_visible(trace is not None)
        self._none.set_visible(trace is None)
        if trace is None:
            return
        heart_rate, ends = trace.heart_rate_bpm, trace.end_min
        if heart_rate.max() > high:
            self.axes.set_ylim(low, low + _end(float(heart_rate.max()) - low, high - low))
        starts = np.append(0.0, ends[:-1])
        self._zones.set_verts(_boxes(starts, ends, *self.axes.get_ylim()))
        self._zones.set_facecolor([_ZONE_COLOURS[zone] for zone in trace.zone])
        middle = 0.5 * (starts + ends)
        done = starts < trace.done_min
        self._planned.set_data(middle, heart_rate)
        self._done.set_data(middle[done], heart_rate[done])
        self._end.set_xdata([trace.done_min, trace.done_min])
        self._end.set_visible(trace.done_min < ends[-1])
        self._remark.set_text("habit session, drawn as the nearest plan" if trace.by_habit else "")


def _end(largest: float, smallest_end: float) -> float:
    """Return the end of an axis that holds ``largest``: 1, 2, 4 ... times the smallest."""
    end = smallest_end
    while end < largest:
        end *= 2.0
    return end


def _bars(heights: NDArray[np.float64], width: float) -> Any:
    """Return bars at day 1, 2 and so on as corners (bars, 4, 2)."""
    middle = np.arange(1.0, len(heights) + 1.0)
    return _boxes(middle - 0.5 * width, middle + 0.5 * width, 0.0, heights)


def _boxes(left: Any, right: Any, bottom: Any, top: Any) -> Any:
    """Return the corners (boxes, 4, 2) of upright boxes."""
    corners = np.broadcast_arrays(left, bottom, left, top, right, top, right, bottom)
    return np.stack(corners, axis=-1).reshape(-1, 4, 2)
