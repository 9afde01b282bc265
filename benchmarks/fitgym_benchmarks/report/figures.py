"""The figures of the report: small panels that are readable on a phone, as inline SVG."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fitgym.calibration import Calibration
from fitgym.common.figures import COLOURS, new_figure, tidy_axes
from fitgym.common.statistics import Interval
from fitgym_agents.evaluation import paired_difference
from fitgym_benchmarks.report.tables import Row, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

# Inches. At a phone's width of 360 pixels the text is then still about 8 pixels high.
_WIDTH = 5.6
_HEIGHT = 3.3
_ROW_HEIGHT = 0.2

_LEARNER_COLOURS = ("blue", "orange", "green", "purple", "sky", "red")
_GRID_COLOUR = "#D8DBE0"  # of fitgym.common.figures.tidy_axes


def _panel(height: float = _HEIGHT) -> tuple[Figure, Axes]:
    figure = new_figure(_WIDTH, height)
    return figure, figure.subplots()


def _dots(
    axes: Axes,
    x: npt.NDArray[np.datetime64],
    y: npt.NDArray[np.float64],
    colour: str,
    label: str,
) -> None:
    """Draw dots as one path of strokes without length, a third of the size of markers in SVG."""
    known = ~np.isnan(y)
    gaps = np.full(np.count_nonzero(known), np.nan)
    axes.plot(
        np.repeat(x[known], 3),
        np.column_stack([y[known], y[known], gaps]).ravel(),
        color=COLOURS[colour],
        linewidth=2.2,
        solid_capstyle="round",
        label=label,
    )


def _legend_above(axes: Axes, columns: int = 4) -> None:
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=8.5,
        borderpad=0.1,
        handlelength=1.4,
        columnspacing=1.2,
    )


def palette(table: Table) -> dict[str, str]:
    """Return a colour per learner of ``table``, by label; everyone else is grey."""
    return {
        row.label: COLOURS[_LEARNER_COLOURS[index % len(_LEARNER_COLOURS)]]
        for index, row in enumerate(table.of_kind("learnt"))
    }


def session_series(
    dates: npt.NDArray[np.datetime64], values: npt.NDArray[np.float64], split: int, y_label: str
) -> Figure:
    """Return a value of every session over the log's dates.

    Args:
        dates: Day of each session, (n,).
        values: What to show, (n,).
        split: Index of the first session of the test part.
        y_label: Name and unit of the values.
    """
    figure, axes = _panel()
    parts = {"training part": (slice(split), "blue"), "test part": (slice(split, None), "red")}
    for name, (part, colour) in parts.items():
        _dots(axes, dates[part], values[part], colour, name)
    _legend_above(axes)
    tidy_axes(axes, y_label=y_label)
    return figure


def calibration_fit(calibration: Calibration) -> Figure:
    """Return observed and fitted performance of a stage over the log's dates."""
    figure, axes = _panel()
    _dots(axes, calibration.date, calibration.observed, "grey", "observed")
    for part, name, colour in (
        (calibration.training, "fitted", "blue"),
        (~calibration.training, "predicted (test part)", "red"),
    ):
        axes.plot(
            calibration.date[part],
            calibration.fitted[part],
            linewidth=0.9,
            color=COLOURS[colour],
            label=name,
        )
    _legend_above(axes)
    tidy_axes(axes, y_label="performance (VDOT)")
    return figure


def returns(table: Table, palette: dict[str, str]) -> Figure:
    """Return the mean return of every agent with its interval.

    Args:
        table: Who earned what.
        palette: Colours by label, see ``palette``.
    """
    rows = [
        (row.label, row.mean_return, palette.get(row.label, COLOURS["grey"])) for row in table.rows
    ]
    return _forest(rows, "mean return of an episode")


def differences(reference: Row, rivals: Sequence[Row], palette: dict[str, str]) -> Figure:
    """Return how much more than ``reference`` others earned in the same episodes, with intervals.

    Args:
        reference: With whom to compare.
        rivals: Who is compared.
        palette: Colours by label, see ``palette``.
    """
    rows = [
        (
            row.label,
            paired_difference(row.evaluation, reference.evaluation),
            palette.get(row.label, COLOURS["grey"]),
        )
        for row in rivals
    ]
    figure = _forest(rows, f"return less that of {reference.label}")
    figure.axes[0].axvline(0.0, color=COLOURS["ink"], linewidth=0.8, zorder=0)
    return figure


def _forest(rows: Sequence[tuple[str, Interval, str]], x_label: str) -> Figure:
    """Return a dot with an interval per row, the first row on top."""
    figure, axes = _panel(0.7 + _ROW_HEIGHT * len(rows))
    for height, (_, interval, colour) in enumerate(reversed(rows)):
        axes.plot([interval.low, interval.high], [height, height], color=colour, linewidth=2)
        axes.plot(interval.mean, height, "o", markersize=5, color=colour)
    axes.set_yticks(range(len(rows)), [label for label, _, _ in reversed(rows)])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.tick_params(axis="y", length=0)
    tidy_axes(axes, x_label=x_label)
    axes.xaxis.set_major_formatter("{x:,.10g}")
    axes.locator_params(axis="x", nbins=5)
    return figure


def learning_curves(table: Table, palette: dict[str, str]) -> Figure:
    """Return the learners' mean returns while they learn (Fang et al. 2022, figure 8)."""
    figure, axes = _panel()
    for row in table.of_kind("learnt"):
        curve = row.result.curve
        axes.plot(
            [steps for steps, _ in curve],
            [mean_return for _, mean_return in curve],
            ".-",
            color=palette[row.label],
            label=row.label,
        )
    _legend_above(axes)
    tidy_axes(axes, x_label="training steps (days)", y_label="mean return")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,.10g}")
    axes.locator_params(axis="x", nbins=6)
    return figure


def mean_plans(table: Table, palette: dict[str, str]) -> Figure:
    """Return what each learner, and the ceiling, asks for on each day, the mean over episodes."""
    figure, axes = _panel()
    learnt = table.of_kind("learnt")
    # Learners that ask for the same would hide each other but for the widths.
    widths = np.linspace(4.0, 1.2, len(learnt))
    for row, width in zip(learnt, widths.tolist(), strict=True):
        axes.plot(_by_day(row), color=palette[row.label], label=row.label, linewidth=width)
    if table.ceiling is not None:
        axes.plot(
            _by_day(table.ceiling),
            color=COLOURS["grey"],
            linewidth=1.0,
            linestyle="--",
            label=table.ceiling.label,
        )
    axes.set_ylim(bottom=0.0)
    _legend_above(axes, 5)
    tidy_axes(axes, x_label="day of the episode", y_label="plan (points, 0 for none)")
    return figure


def _by_day(row: Row) -> npt.NDArray[np.float64]:
    mean: npt.NDArray[np.float64] = np.nanmean(row.evaluation.plans_trimp, axis=0)
    return mean


# Written by matplotlib into every file and of no use, or of harm, inside a page.
_SVG_WRAPPING = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<style.*?</style>"
    r"| xmlns(:xlink)?=\"[^\"]*\"",
    re.DOTALL,
)


def as_svg(figure: Figure, name: str, description: str) -> str:
    """Return ``figure`` as an ``<svg>`` element to stand in an HTML page.

    Text stays text in the page's own font, colours are the page's CSS variables (``--blue``,
    ``--ink``, ``--grid``...), so that they follow its light or dark scheme, and identifiers begin
    with ``name``, so that several figures share a page.

    Args:
        figure: The figure.
        name: Unique in the page; letters, digits and hyphens.
        description: What is seen, for those who do not see it.
    """
    import matplotlib

    ink = COLOURS["ink"]
    for axes in figure.axes:
        axes.tick_params(colors=ink, labelsize=9)
        for spine in axes.spines.values():
            spine.set_edgecolor(ink)
        for text in (axes.xaxis.label, axes.yaxis.label, *_legend_texts(axes)):
            text.set_color(ink)
    buffer = io.StringIO()
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": name, "path.simplify": False}
    with matplotlib.rc_context(settings):
        for axes in figure.axes:
            for line in axes.lines:
                # Paths keep the simplification they were made with; it would drop the dots.
                line.recache(always=True)
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = _SVG_WRAPPING.sub("", buffer.getvalue()).strip()
    # The page gives the width; the font is that of its text.
    svg = re.sub(r'(<svg)[^>]*?( viewBox="[^"]*")[^>]*', r"\1\2", svg)
    svg = re.sub(r"(font(?:-family)?: [^;\"']*)'[^;\"]*", r"\1system-ui, sans-serif", svg)
    svg = re.sub(r"\d+\.\d{3,}", lambda match: f"{float(match[0]):.2f}", svg)
    referenced = set(re.findall(r"#([\w.-]+)", svg))
    svg = re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in referenced else "", svg)
    svg = re.sub(r' id="|href="#|url\(#', lambda match: f"{match[0]}{name}-", svg)
    for colour, value in {**COLOURS, "grid": _GRID_COLOUR}.items():
        svg = re.sub(value, f"var(--{colour})", svg, flags=re.IGNORECASE)
    return svg.replace("<svg", f'<svg role="img" aria-label="{html.escape(description)}"', 1)


def _legend_texts(axes: Axes) -> list[Text]:
    legend = axes.get_legend()
    return [] if legend is None else list(legend.get_texts())
