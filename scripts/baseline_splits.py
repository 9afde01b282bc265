"""How much the strongest baseline depends on which people are tested together.

    python scripts/baseline_splits.py --recordings FOLDER

prints the pooled MAE of the lagged linear baseline per user and sport, of strangers and with the
previous workout, and the shrinkages that the training people choose: over the published partition
of the people into five folds, over eight random ones, and with each person left out alone.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fitgym.logs.recordings import read_recordings
from fitgym.predictor.baselines import BASELINES, Baselines
from fitgym.predictor.channels import denormalise_heart_rate
from fitgym.predictor.datasets import Example, encode_workouts
from fitgym.predictor.splits import grouped_folds

_FOLDS = 5
_PARTITIONS = 8
_STRONGEST = BASELINES[-1]


def scores(examples: Sequence[Example], parts: Sequence[set[str]]) -> tuple[float, float]:
    """Return the MAE in bpm of strangers and with the previous workout, over all test steps.

    Args:
        examples: All workouts, in the order in which people did them.
        parts: People who are tested together, by baselines fitted to all others.
    """
    absolute: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    chosen: list[float] = []
    for part in parts:
        baselines = Baselines([e for e in examples if e.workout.user not in part])
        chosen.append(baselines.shrinkage_steps)
        before: dict[str, list[Example]] = defaultdict(list)
        for example in examples:
            user = example.workout.user
            if user not in part:
                continue
            measured = denormalise_heart_rate(example.target[example.valid])
            for errors, own in zip(absolute, ([], before[user][-1:]), strict=True):
                told = baselines.predict(_STRONGEST, example, own)[example.valid]
                errors.append(np.abs(told - measured))
            before[user].append(example)
    counts = {steps: chosen.count(steps) for steps in sorted(set(chosen))}
    print(f"  shrinkage in steps, and how often it was chosen: {counts}")
    stranger, previous = (float(np.concatenate(errors).mean()) for errors in absolute)
    return stranger, previous


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=Path, required=True)
    examples = encode_workouts(read_recordings(parser.parse_args().recordings))
    users = sorted({example.workout.user for example in examples})
    published = [
        {example.workout.user for example in fold.test}
        for fold in grouped_folds(examples, _FOLDS, seed=0)
    ]
    print("published partition: {:.2f} and {:.2f}".format(*scores(examples, published)))
    random = []
    for seed in range(_PARTITIONS):
        order = np.random.default_rng(seed).permutation(users)
        random.append(scores(examples, [set(part) for part in np.array_split(order, _FOLDS)]))
    for name, column in zip(("strangers", "previous workout"), np.transpose(random), strict=True):
        print(
            f"{_PARTITIONS} random partitions, {name}: {column.mean():.2f} "
            f"({column.min():.2f} to {column.max():.2f})"
        )
    print("each person alone: {:.2f} and {:.2f}".format(*scores(examples, [{u} for u in users])))


if __name__ == "__main__":
    main()
