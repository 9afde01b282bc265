"""From a recipe and recordings to the second edition's weights, card, curves and recipe."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from fitgym.common.files import write_text
from fitgym.common.json_files import json_text, read_object
from fitgym.logs.workout import GRID_STEP_S, Workout
from fitgym.predictor.fitrec2.cross_validation import cross_validate, spread_figures
from fitgym.predictor.fitrec2.data import encode_bodies
from fitgym.predictor.fitrec2.evaluation import PERSONAL, describe_recordings
from fitgym.predictor.fitrec2.recipe import Fitrec2Recipe, fine_tune, rehearsed
from fitgym.predictor.fitrec2.weights import load_weights, save_weights
from fitgym.predictor.fitting import EpochRecord
from fitgym.predictor.reporting import draw_learning_curves


def produce(
    workouts: Sequence[Workout],
    recipe: Fitrec2Recipe,
    folder: str | os.PathLike[str],
    *,
    card: Mapping[str, Any] | None = None,
    progress: bool = False,
) -> dict[str, Any]:
    """Train by a recipe and write ``fitrec2.safetensors``, its card, curves and ``recipe2.json``.

    The spread in the card is fitted to the errors on people whom a network was not trained on, by
    cross-validation; the weights are trained on everybody. Checkpoints in the folder let an
    interrupted call go on.

    Args:
        workouts: Recordings of at least as many people as there are folds.
        recipe: How to train.
        folder: Where everything goes.
        card: More fields of the card, such as the sources of the recordings and an evaluation.
        progress: Whether to show progress bars.

    Returns:
        The card.
    """
    root = Path(folder)
    workouts, _ = describe_recordings(workouts)
    encoded = encode_bodies(workouts)
    validated = cross_validate(encoded, recipe, folder=root, progress=progress)
    components = validated.components()
    model, curve = fine_tune(
        validated.pretrained,
        encoded,
        rehearsed(recipe),
        recipe,
        checkpoint=root / "fine-tuning2.safetensors",
        progress=progress,
    )
    curves = validated.curves | {"everybody": curve}
    full = {
        "name": "a FitRec-architecture network with attributes of the body, second edition",
        "command": "fitgym predictor train",
        "data": _describe(workouts, recipe),
        **(card or {}),
        "spread": {name: round(v, 2) for name, v in spread_figures(components).items()},
        "spread_of_runs": {name: round(v, 2) for name, v in validated.running_spread().items()},
        "training": {stage: _describe_curve(records) for stage, records in curves.items()},
        "recipe": asdict(recipe),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "safetensors")},
        },
    }
    path = root / "fitrec2.safetensors"
    save_weights(path, model, components, full)
    write_text(root / "recipe2.json", json_text(asdict(recipe)) + "\n")
    draw_learning_curves(
        {stage: curves[stage] for stage in ("pre-training", "fold 0")},
        root / "learning-curves2.png",
    )
    return load_weights(path)[2]


def read_evaluation(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what the card holds of a report of ``cross_validation.evaluate_recipe``.

    Of our methods it holds the mean over the seeds.

    Raises:
        OSError: If the file is missing or unreadable.
        ValueError: If it is not such a report.
    """
    try:
        return {
            protocol: {
                "workouts": results["workouts"],
                "people": results["people_tested"],
                "mae_bpm": _by_method(results["methods"], "pooled_mae", 2),
                "load_error": _by_method(results["methods"], "load_error", 3),
                "interval_coverage": _by_method(
                    {PERSONAL: results["methods"][PERSONAL]}, "interval_coverage", 3
                )[PERSONAL],
            }
            for protocol, results in read_object(path)["situations"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{os.fspath(path)} is not a report of fitgym predictor evaluate --edition 2 --retrain"
        ) from error


def _by_method(methods: Mapping[str, Any], name: str, places: int) -> dict[str, float]:
    """Return a score of each method, the mean of its seeds where it has some."""
    return {
        method: round(fmean(seed[name] for seed in scores.get("seeds", [scores])), places)
        for method, scores in methods.items()
    }


def _describe(workouts: Sequence[Workout], recipe: Fitrec2Recipe) -> dict[str, Any]:
    """Return what the network was trained on, in figures."""
    return {
        "virtual_workouts": recipe.people.people * recipe.people.workouts,
        "virtual_people": recipe.people.people,
        "recorded_workouts": len(workouts),
        "recorded_people": len({workout.user for workout in workouts}),
        "recorded_hours": round(sum(map(len, workouts)) * GRID_STEP_S / 3600.0, 1),
        "recorded_sports": dict(Counter(workout.sport for workout in workouts)),
    }


def _describe_curve(records: Sequence[EpochRecord]) -> dict[str, Any]:
    last = records[-1]
    described = {
        "epochs": len(records),
        "training_rmse_bpm": round(last.training, 3),
        "threads": torch.get_num_threads(),
    }
    if last.validation == last.validation:
        described["validation_rmse_bpm"] = round(last.validation, 3)
    return described
