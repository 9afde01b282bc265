"""From a recipe and recordings to weights with card, learning curves and recipe beside them."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fitgym.common.files import write_text
from fitgym.common.json_files import json_text, read_json
from fitgym.logs.workout import GRID_STEP_S, Workout
from fitgym.predictor.datasets import Example, encode_workouts
from fitgym.predictor.fitrec.recipe import Recipe, fine_tune, pretrain, without_users
from fitgym.predictor.fitrec.weights import load_model, save_model
from fitgym.predictor.fitting import EpochRecord
from fitgym.predictor.reporting import draw_learning_curves

# Share of the people kept apart to stop fine-tuning on.
VALIDATION_SHARE = 0.1


def produce(
    workouts: Sequence[Workout],
    recipe: Recipe,
    folder: str | os.PathLike[str],
    *,
    card: Mapping[str, Any] | None = None,
    progress: bool = False,
) -> dict[str, Any]:
    """Train by a recipe and write ``fitrec.safetensors``, its card, the curves and the recipe.

    The weights hold no row of any person; everybody is ``unknown`` to them. Checkpoints in the
    folder let an interrupted call go on.

    Args:
        workouts: Recordings of at least two people, or none to train on virtual people only.
        recipe: How to train.
        folder: Where everything goes.
        card: More fields of the card, such as the sources of the recordings and an evaluation.
        progress: Whether to show progress bars.

    Returns:
        The card.

    Raises:
        ValueError: If the recordings are of one person only.
    """
    root = Path(folder)
    # Recordings of too few people are an error before the pre-training, not after it.
    split = split_people(encode_workouts(workouts), recipe.seed) if workouts else None
    model, _, curve = pretrain(recipe, root, progress=progress)
    curves = {"pre-training": curve}
    if split is not None:
        training, validation = split
        model, _, curves["fine-tuning"] = fine_tune(
            model,
            training,
            validation,
            recipe,
            checkpoint=root / "fine-tuning.safetensors",
            progress=progress,
        )
    shipped, vocabulary = without_users(model)
    full = {
        "name": "a FitRec-architecture network",
        "command": "fitgym predictor train",
        "data": _describe(workouts, recipe),
        **(card or {}),
        "training": {stage: _describe_curve(records) for stage, records in curves.items()},
        "recipe": asdict(recipe),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "safetensors")},
        },
    }
    path = root / "fitrec.safetensors"
    save_model(path, shipped, vocabulary, full)
    write_text(root / "recipe.json", json_text(asdict(recipe)) + "\n")
    draw_learning_curves(curves, root / "learning-curves.png")
    return load_model(path)[2]


def split_people(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Return training examples and those of the people kept apart to stop on."""
    users = list(dict.fromkeys(example.workout.user for example in examples))
    if len(users) < 2:
        raise ValueError(f"recordings must be of at least 2 people, got {len(users)}")
    np.random.default_rng(seed).shuffle(users)
    apart = set(users[: max(1, round(VALIDATION_SHARE * len(users)))])
    return (
        [example for example in examples if example.workout.user not in apart],
        [example for example in examples if example.workout.user in apart],
    )


def read_evaluation(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the report of ``predictor evaluate`` and return what the card holds of it.

    Raises:
        OSError: If the file is missing or unreadable.
        ValueError: If it is not such a report.
    """
    report = read_json(path)
    try:
        kept = {
            protocol: {
                "workouts": results["workouts"],
                "people": results["people_tested"],
                "mae_bpm": {
                    method: round(scores["pooled_mae"], 2)
                    for method, scores in results["methods"].items()
                },
            }
            for protocol, results in report.items()
        }
        if not kept:
            raise KeyError("protocol")
        return kept
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{os.fspath(path)} is not a report of an evaluation") from error


def _describe(workouts: Sequence[Workout], recipe: Recipe) -> dict[str, Any]:
    """Return what the network was trained on, in figures."""
    simulator = recipe.simulator
    described: dict[str, Any] = {
        "virtual_workouts": simulator.people * simulator.workouts,
        "virtual_people": simulator.people,
    }
    if workouts:
        steps = sum(map(len, workouts))
        described |= {
            "recorded_workouts": len(workouts),
            "recorded_people": len({workout.user for workout in workouts}),
            "recorded_hours": round(steps * GRID_STEP_S / 3600.0, 1),
            "recorded_sports": dict(Counter(workout.sport for workout in workouts)),
        }
    return described


def _describe_curve(records: Sequence[EpochRecord]) -> dict[str, Any]:
    best = min(records, key=lambda record: record.validation)
    return {
        "epochs": len(records),
        "best_epoch": best.epoch + 1,
        "rmse_bpm": round(best.validation, 3),
        "threads": torch.get_num_threads(),
    }
