"""Tables and figures of training and evaluation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.figures import COLOURS, new_figure, save_figure, tidy_axes
from fitgym.common.tables import markdown_table
from fitgym.predictor.channels import denormalise_heart_rate
from fitgym.predictor.datasets import Example
from fitgym.predictor.fitting import EpochRecord

Array = NDArray[np.float64]

PROTOCOLS = {
    "a": "(a) later workouts of known people",
    "b, cold": "(b) people never seen, nothing known",
    "b, previous": "(b) people never seen, previous workout known",
    "c, 0": "(c) people never seen, 0 calibration workouts",
    "c, 1": "(c) people never seen, 1 calibration workout",
    "c, 2": "(c) people never seen, 2 calibration workouts",
    "c, 3": "(c) people never seen, 3 calibration workouts",
}

_COLUMNS = (
    "method",
    "pooled MAE (95 % over people)",
    "workout MAE",
    "pooled RMSE",
    "FitRec's gain in pooled MAE (95 %)",
)

# Cells of the density with fewer steps stay empty.
_LEAST_STEPS = 20


def evaluation_table(report: Mapping[str, Any]) -> str:
    """Return the report of ``evaluation.evaluate_recipe`` as Markdown."""
    lines = []
    for name, protocol in report.items():
        lines += [
            f"**{PROTOCOLS.get(name, name)}**: {protocol['workouts']} workouts of "
            f"{protocol['people_tested']} people, {protocol['steps']} steps",
            "",
        ]
        rows = []
        for method, scores in protocol["methods"].items():
            cells = [
                f"{scores['pooled_mae']:.2f} ({scores['pooled_mae_low']:.2f} to "
                f"{scores['pooled_mae_high']:.2f})",
                f"{scores['workout_mae']:.2f}",
                f"{scores['pooled_rmse']:.2f}",
            ]
            if "fitrec_gain" in scores:
                cells.append(
                    f"{scores['fitrec_gain']:+.2f} ({scores['fitrec_gain_low']:+.2f} to "
                    f"{scores['fitrec_gain_high']:+.2f})"
                )
            else:
                cells.append("")
            label = method
            if len(seeds := scores.get("seeds", [])) > 1:
                maes = [seed["pooled_mae"] for seed in seeds]
                label += f"; {len(seeds)} seeds"
                cells[0] += f"; seeds {', '.join(f'{mae:.2f}' for mae in maes)}"
            rows.append([label, *cells])
        lines += [markdown_table(_COLUMNS, rows), ""]
    return "\n".join(lines)


def draw_learning_curves(
    curves: Mapping[str, Sequence[EpochRecord]], path: str | os.PathLike[str]
) -> None:
    """Draw training and validation error over the epochs, one panel per stage."""
    figure = new_figure(4.5 * len(curves), 3.6)
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    for axes, (name, records) in zip(panels, curves.items(), strict=True):
        epochs = [record.epoch + 1 for record in records]
        training = [record.training for record in records]
        validation = [record.validation for record in records]
        axes.plot(epochs, training, color=COLOURS["sky"], marker=".", label="training")
        axes.plot(epochs, validation, color=COLOURS["red"], marker=".", label="validation")
        tidy_axes(axes, name, "epoch", "RMSE (bpm)")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False)
    save_figure(figure, path)


def draw_predictions(
    examples: Sequence[Example],
    predictions: Sequence[Array],
    path: str | os.PathLike[str],
    *,
    title: str,
) -> None:
    """Draw aggregates of predictions against measurements; no single workout can be read off.

    Left, the density of predicted against measured heart rate over all steps; right, the mean and
    the middle 80 % of the error over the time since the start.

    Args:
        examples: The examples.
        predictions: For each the predicted heart rate (T,) in bpm.
        path: Where the figure goes.
        title: Words above it.
    """
    measured = [denormalise_heart_rate(example.target) for example in examples]
    valid = [example.valid for example in examples]
    from matplotlib.colors import LogNorm

    figure = new_figure(9.5, 4.2)
    density, course = figure.subplots(1, 2)
    truth = np.concatenate([m[v] for m, v in zip(measured, valid, strict=True)])
    guess = np.concatenate([p[v] for p, v in zip(predictions, valid, strict=True)])
    image = density.hexbin(
        truth, guess, gridsize=40, extent=(60, 200, 60, 200), mincnt=_LEAST_STEPS, cmap="viridis"
    )
    counts = np.append(image.get_array(), _LEAST_STEPS + 1)
    image.set_norm(LogNorm(_LEAST_STEPS, counts.max()))
    density.plot([60, 200], [60, 200], color=COLOURS["red"], linewidth=1)
    figure.colorbar(image, ax=density, label="steps of 10 s")
    tidy_axes(density, title, "measured (bpm)", "predicted (bpm)")
    minutes, low, middle, high = [], [], [], []
    errors = [p - m for p, m in zip(predictions, measured, strict=True)]
    for step in range(0, max(map(len, errors)), 6):
        here = np.array(
            [e[step] for e, v in zip(errors, valid, strict=True) if step < len(e) and v[step]]
        )
        if len(here) < 10:
            break
        minutes.append(step / 6.0)
        low.append(np.percentile(here, 10))
        middle.append(here.mean())
        high.append(np.percentile(here, 90))
    course.fill_between(minutes, low, high, color=COLOURS["sky"], alpha=0.4, label="middle 80 %")
    course.plot(minutes, middle, color=COLOURS["blue"], label="mean")
    course.axhline(0.0, color=COLOURS["ink"], linewidth=0.8)
    tidy_axes(course, "error over the workout", "minutes", "predicted - measured (bpm)")
    course.legend(frameon=False)
    save_figure(figure, path)
