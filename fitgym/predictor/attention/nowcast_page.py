"""Nowcasts as a page: errors beside persistence, and one workout drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fitgym.common.figures import COLOURS, new_figure, tidy_axes
from fitgym.common.pages import (
    figures,
    heading,
    html_table,
    inline_figure,
    paragraph,
    text_page,
)
from fitgym.predictor.attention.nowcast import Nowcast, nowcast_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def nowcast_page(report: Mapping[str, Any], drawn: Nowcast) -> str:
    """Return a page of a report of ``nowcast_report``, with one workout drawn."""
    first, last = drawn.horizons_s[0], drawn.horizons_s[-1]
    columns = dict.fromkeys((0, len(drawn.horizons_s) - 1))
    body = [
        paragraph(
            f"Workouts: {report['workouts']}, people: {report['people']}. Each forecast uses "
            "nothing but the past; beyond ten seconds the network's own forecasts are fed back. "
            "The last value is the simplest forecast and hard to beat. The gain is its mean "
            "absolute error less FitRec-Attn's in bpm: where it is negative, the last value wins."
        ),
        html_table(*nowcast_rows(report)),
        heading(f"Workout {drawn.workout.identifier}"),
        figures(
            [
                inline_figure(
                    draw_course(drawn, column),
                    f"Measured, and predicted {drawn.horizons_s[column]} s before.",
                )
                for column in columns
            ]
            + [
                inline_figure(
                    draw_errors(drawn),
                    f"Mean absolute error from {first} to {last} s ahead in this workout.",
                )
            ]
        ),
    ]
    return text_page("Heart rate, the next seconds", body)


def draw_course(drawn: Nowcast, column: int) -> Figure:
    """Draw the measured heart rate and what was predicted of each moment."""
    workout, ahead = drawn.workout, drawn.horizons_s[column]
    figure = new_figure(5.0, 3.6)
    axes = figure.subplots()
    measured = np.where(workout.valid, workout.heart_rate_bpm, np.nan)
    axes.plot(workout.time_s / 60.0, measured, color=COLOURS["grey"], label="measured")
    # On the whole grid, so that no line is drawn where nothing was predicted.
    predicted = np.full(len(workout), np.nan)
    predicted[drawn.made_step] = drawn.predicted_bpm[:, column]
    axes.plot(
        (workout.time_s + ahead) / 60.0,
        predicted,
        color=COLOURS["blue"],
        linewidth=1,
        label=f"predicted {ahead} s before",
    )
    tidy_axes(axes, "", "minutes", "heart rate (bpm)")
    axes.legend(frameon=False, fontsize=8)
    return figure


def draw_errors(drawn: Nowcast) -> Figure:
    """Draw the mean absolute error of both over how far ahead."""
    figure = new_figure(5.0, 3.6)
    axes = figure.subplots()
    truth = drawn.measured_bpm
    for name, forecasts, colour in (
        ("FitRec-Attn", drawn.predicted_bpm, "blue"),
        ("last value", np.broadcast_to(drawn.last_bpm[:, None], truth.shape), "red"),
    ):
        known = ~np.isnan(truth).all(axis=0)
        errors = np.nanmean(np.abs(forecasts - truth)[:, known], axis=0)
        seconds = np.array(drawn.horizons_s)[known]
        axes.plot(seconds, errors, color=COLOURS[colour], marker="o", ms=4, label=name)
    tidy_axes(axes, "", "seconds ahead", "MAE (bpm)")
    axes.set_ylim(bottom=0.0)
    axes.legend(frameon=False, fontsize=8)
    return figure
