"""Evaluation of FitRec-Attn: errors ten seconds ahead, beside last value and extrapolation.

    (a)  later workouts of known people
    (b)  people never seen, by cross-validation over people

Every method predicts the last step of the same windows from the steps before it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fitgym.predictor.attention.data import WindowSet, make_windows
from fitgym.predictor.attention.network import AttentionConfig, FitRecAttention
from fitgym.predictor.attention.training import (
    AttentionTrainingConfig,
    predict_windows,
    train_attention,
)
from fitgym.predictor.channels import HEART_RATE_SCALE_BPM
from fitgym.predictor.datasets import Example, Vocabulary
from fitgym.predictor.fitting import EpochRecord
from fitgym.predictor.metrics import (
    Errors,
    bootstrap_interval,
    join_errors,
    mean_errors,
    summarise_errors,
)
from fitgym.predictor.splits import Split, folds_of_people, later_workouts

BASELINES = ("last value", "linear extrapolation")
ATTENTION = "FitRec-Attn"
ERRORS = ("pooled_mae", "workout_mae", "pooled_rmse")
PROTOCOLS = {
    "a": "(a) later workouts of known people",
    "b": "(b) people never seen",
}


def fit_attention(
    examples: Sequence[Example],
    training: Sequence[Example],
    validation: Sequence[Example],
    network: AttentionConfig,
    config: AttentionTrainingConfig,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = False,
    label: str = "training",
) -> tuple[FitRecAttention, Vocabulary, WindowSet, list[EpochRecord]]:
    """Make and train one network.

    Args:
        examples: All recordings, among which the previous workouts are.
        training: Those to learn from; their people get rows of the user embedding.
        validation: Those that decide when to stop.
        network: The shape; the numbers of attributes are taken from the examples.
        config: How to train; its seed also draws the first weights.
        checkpoint: File to write after every epoch and to resume from.
        progress: Whether to show a progress bar.
        label: Words before the progress bar.

    Returns:
        The trained network, its vocabulary, the windows of all examples and the learning curve.
    """
    vocabulary = Vocabulary.of([example.workout for example in training])
    windows = make_windows(examples, vocabulary, network.window)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = FitRecAttention(replace(network, attributes=vocabulary.sizes))
    records = train_attention(
        model,
        windows,
        windows.of_examples(training),
        windows.of_examples(validation),
        config,
        checkpoint=checkpoint,
        progress=progress,
        label=label,
    )
    return model, vocabulary, windows, records


def evaluate_attention(
    examples: Sequence[Example],
    network: AttentionConfig,
    configs: Sequence[AttentionTrainingConfig],
    *,
    folder: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> dict[str, Any]:
    """Train and test under both protocols, once per seed, and beside the baselines.

    Args:
        examples: All recordings, each beside its user's previous one.
        network: The shape of the network.
        configs: The same training with different seeds.
        folder: Where to keep a checkpoint per training, from which a later call resumes.
        progress: Whether to show progress bars.

    Returns:
        For each protocol the numbers of workouts, people and windows and, for each method, its
        scores; FitRec-Attn's are those of the seeds' mean errors, with each seed's own beside.
    """

    def run(name: str, split: Split, config: AttentionTrainingConfig) -> Errors:
        label = f"seed{config.seed}-{name}"
        model, _, windows, _ = fit_attention(
            examples,
            split.training,
            split.validation,
            network,
            config,
            checkpoint=None if folder is None else Path(folder) / f"{label}.safetensors",
            progress=progress,
            label=label,
        )
        indices = windows.of_examples(split.test)
        return window_errors(windows, indices, predict_windows(model, windows, indices), examples)

    protocols = {
        "a": [later_workouts(examples)],
        "b": folds_of_people(examples),
    }
    windows = make_windows(examples, Vocabulary(), network.window)
    report = {}
    for protocol, splits in protocols.items():
        runs = [
            join_errors(
                [run(f"{protocol}{part}", split, config) for part, split in enumerate(splits)]
            )
            for config in configs
        ]
        parts = [windows.of_examples(split.test) for split in splits]
        report[protocol] = _summary(runs, windows, parts, examples)
    return report


def evaluate_weights(
    model: FitRecAttention, examples: Sequence[Example], tested: Sequence[Example] | None = None
) -> dict[str, Any]:
    """Return the summary of one trained network, to which everybody is ``unknown``.

    Args:
        model: The network.
        examples: Recordings, among which the previous workouts are.
        tested: Those of them to test on; None means all.
    """
    windows = make_windows(examples, Vocabulary(), model.config.window)
    indices = windows.of_examples(examples if tested is None else tested)
    predicted = predict_windows(model, windows, indices)
    errors = window_errors(windows, indices, predicted, examples)
    return _summary([errors], windows, [indices], examples)


def baseline_forecasts(windows: WindowSet, indices: Tensor) -> dict[str, Tensor]:
    """Return the heart rate (n,) each of ``BASELINES`` forecasts, in bpm relative to 140."""
    seen = windows.heart_rates(indices)[:, :-1] * HEART_RATE_SCALE_BPM
    last, before = seen[:, -1], seen[:, -2]
    return dict(zip(BASELINES, (last, 2.0 * last - before), strict=True))


def window_errors(
    windows: WindowSet, indices: Tensor, predicted: Tensor, examples: Sequence[Example]
) -> Errors:
    """Return the errors of forecasts (n,) of windows (n,), summed over each workout's windows."""
    actual = windows.heart_rates(indices)[:, -1] * HEART_RATE_SCALE_BPM
    error = (predicted - actual).numpy().astype(np.float64)
    workouts, index = np.unique(windows.workout[indices].numpy(), return_inverse=True)
    return Errors(
        users=np.array([examples[position].workout.user for position in workouts]),
        absolute=np.bincount(index, weights=np.abs(error)).astype(np.float64),
        squared=np.bincount(index, weights=np.square(error)).astype(np.float64),
        steps=np.bincount(index).astype(np.float64),
    )


def _summary(
    runs: Sequence[Errors],
    windows: WindowSet,
    parts: Sequence[Tensor],
    examples: Sequence[Example],
) -> dict[str, Any]:
    """Return the scores of one protocol (the runs are the seeds, the parts its folds)."""
    mean = mean_errors(runs)
    methods: dict[str, Any] = {ATTENTION: summarise_errors(mean).as_dict()}
    if len(runs) > 1:
        methods[ATTENTION]["seeds"] = [summarise_errors(run).as_dict() for run in runs]
    for name in BASELINES:
        errors = join_errors(
            [
                window_errors(windows, part, baseline_forecasts(windows, part)[name], examples)
                for part in parts
            ]
        )
        gain = errors.absolute - mean.absolute
        low, high = bootstrap_interval(errors.users, gain, errors.steps)
        methods[name] = summarise_errors(errors).as_dict() | {
            "attention_gain": float(gain.sum() / errors.steps.sum()),
            "attention_gain_low": low,
            "attention_gain_high": high,
        }
    return {
        "workouts": len(mean.users),
        "people_tested": len(set(mean.users.tolist())),
        "windows": int(mean.steps.sum()),
        "methods": methods,
    }


def attention_table(report: Mapping[str, Any]) -> str:
    """Return summaries by protocol, as ``evaluate_attention`` gives them, as Markdown."""
    lines = []
    for name, protocol in report.items():
        lines += [
            f"**{PROTOCOLS.get(name, name)}**: {protocol['workouts']} workouts of "
            f"{protocol['people_tested']} people, {protocol['windows']} windows",
            "",
            "| method | pooled MAE | workout MAE | pooled RMSE "
            "| FitRec-Attn's gain in pooled MAE (95 % over people) |",
            "|---|---|---|---|---|",
        ]
        for method, scores in protocol["methods"].items():
            errors = [f"{scores[kind]:.3f}" for kind in ERRORS]
            gain = ""
            if "attention_gain" in scores:
                gain = (
                    f"{scores['attention_gain']:+.3f} ({scores['attention_gain_low']:+.3f} to "
                    f"{scores['attention_gain_high']:+.3f})"
                )
            lines.append(f"| {' | '.join([method, *errors, gain])} |")
            for number, seed in enumerate(scores.get("seeds", [])):
                errors = [f"{seed[kind]:.3f}" for kind in ERRORS]
                lines.append(f"| {' | '.join([f'seed {number}', *errors, ''])} |")
        lines.append("")
    return "\n".join(lines)
