"""From recordings to FitRec-Attn weights with card and learning curve beside them."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fitgym.common.figures import COLOURS, new_figure, save_figure, tidy_axes
from fitgym.logs.workout import Workout
from fitgym.predictor.attention.evaluation import evaluate_weights, fit_attention
from fitgym.predictor.attention.network import AttentionConfig
from fitgym.predictor.attention.training import AttentionTrainingConfig
from fitgym.predictor.attention.weights import load_attention, save_attention, without_users
from fitgym.predictor.datasets import Example, encode_workouts
from fitgym.predictor.fitting import EpochRecord
from fitgym.predictor.splits import folds_of_people


def produce_attention(
    examples: Sequence[Example],
    network: AttentionConfig,
    config: AttentionTrainingConfig,
    folder: str | os.PathLike[str],
    *,
    progress: bool = False,
) -> dict[str, Any]:
    """Train on four fifths of the people; write ``attention.safetensors``, its card and the curve.

    The other fifth is never learnt from, so the errors on the card are those of these very
    weights on people they have not seen. The weights hold no row of any person. A checkpoint in
    the folder lets an interrupted call go on.

    Args:
        examples: Recordings of enough people for five folds.
        network: The shape of the network.
        config: How to train.
        folder: Where everything goes.
        progress: Whether to show a progress bar.

    Returns:
        The card.
    """
    root = Path(folder)
    split = folds_of_people(examples)[0]
    model, _, _, records = fit_attention(
        examples,
        split.training,
        split.validation,
        network,
        config,
        checkpoint=root / "training.safetensors",
        progress=progress,
    )
    stranger = without_users(model)
    held_out = evaluate_weights(stranger, examples, split.test)
    card = {
        "name": "a FitRec-Attn-architecture network",
        "command": "fitgym predictor train-attention",
        "data": {
            "trained_on": _describe(split.training),
            "stopped_by": _describe(split.validation),
            "held_out": _describe(split.test),
        },
        "training": asdict(config)
        | {"epochs_run": len(records), "curve": [asdict(record) for record in records]},
        "held_out": held_out,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "safetensors")},
        },
    }
    path = root / "attention.safetensors"
    save_attention(path, stranger, card)
    draw_learning_curve(records, root / "learning_curve.png")
    return load_attention(path)[1]


def held_out_people(workouts: Sequence[Workout]) -> set[str]:
    """Return the people of recordings whom ``produce_attention`` does not show to the network."""
    return {example.workout.user for example in folds_of_people(encode_workouts(workouts))[0].test}


def draw_learning_curve(records: Sequence[EpochRecord], path: str | os.PathLike[str]) -> None:
    """Draw loss and validation error over the epochs."""
    figure = new_figure(8.0, 3.5)
    epochs = [record.epoch + 1 for record in records]
    panels = (
        ("training", "mean loss", [record.training for record in records]),
        ("validation", "mean-workout MAE (bpm)", [r.validation for r in records]),
    )
    for number, (title, label, values) in enumerate(panels, start=1):
        axes = figure.add_subplot(1, 2, number)
        axes.plot(epochs, values, color=COLOURS["blue"], marker="o", markersize=3)
        tidy_axes(axes, title, "epoch", label)
    save_figure(figure, path)


def _describe(examples: Sequence[Example]) -> dict[str, int]:
    return {
        "workouts": len(examples),
        "people": len({example.workout.user for example in examples}),
        "steps": sum(len(example) for example in examples),
    }
