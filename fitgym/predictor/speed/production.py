"""From recordings to the shipped weights that predict speed, and their card."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fitgym.predictor.datasets import Example
from fitgym.predictor.fitrec2.data import BodyExample, stranger
from fitgym.predictor.fitting import EpochRecord
from fitgym.predictor.speed.evaluation import ask, speed_report, tune
from fitgym.predictor.speed.training import SpeedTraining, pretrain
from fitgym.predictor.speed.weights import load_speed, save_speed
from fitgym.predictor.splits import folds_of_people


def produce_speed(
    encoded: Sequence[BodyExample],
    config: SpeedTraining,
    folder: str | os.PathLike[str],
    *,
    progress: bool = False,
) -> dict[str, Any]:
    """Train on four fifths of the people; write ``speed.safetensors`` and its card.

    The other fifth is never learnt from, so the errors on the card are those of these very weights
    on people they have not seen. Checkpoints in the folder let an interrupted call go on; those of
    ``evaluation.evaluate_speed`` are the same.

    Args:
        encoded: Recordings of at least as many people as there are folds.
        config: How to train.
        folder: Where everything goes.
        progress: Whether to show progress bars.

    Returns:
        The card.
    """
    root = Path(folder)
    examples = [each.example for each in encoded]
    own = {id(each.example): each for each in encoded}
    fold = folds_of_people(examples)[0]
    pretrained, first = pretrain(config, root, progress=progress)
    model, second = tune(pretrained, fold, own, config, root, "fold0", progress=progress)
    strangers = [stranger(own[id(example)]) for example in fold.test]
    card = {
        "name": "a FitRec-architecture network with speed as its target",
        "command": "fitgym predictor train-speed",
        "data": {
            "virtual_people": config.people.people,
            "virtual_workouts": config.people.people * config.people.workouts,
            "trained_on": _describe(fold.training),
            "stopped_by": _describe(fold.validation),
            "held_out": _describe(fold.test),
        },
        "training": asdict(config) | {"pre-training": _curve(first), "fine-tuning": _curve(second)},
        "held_out": speed_report(ask(model, strangers, {}, fold)),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "safetensors")},
        },
    }
    path = root / "speed.safetensors"
    save_speed(path, model, card)
    return load_speed(path)[1]


def _describe(examples: Sequence[Example]) -> dict[str, int]:
    return {
        "workouts": len(examples),
        "people": len({example.workout.user for example in examples}),
        "steps": int(sum(example.valid.sum() for example in examples)),
    }


def _curve(records: Sequence[EpochRecord]) -> dict[str, Any]:
    return {
        "epochs": len(records),
        "training": [round(record.training, 4) for record in records],
        "validation": [round(record.validation, 4) for record in records],
    }
