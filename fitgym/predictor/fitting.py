"""Training with early stopping, which goes on to the same bits after an interruption."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from fitgym.predictor.checkpoints import restore_checkpoint, save_checkpoint


@dataclass(frozen=True)
class EpochRecord:
    """Errors of one epoch, in the unit of the network's training.

    Attributes:
        epoch: Its number, from 0.
        training: Error on what was learnt from.
        validation: Error on what decides when to stop.
    """

    epoch: int
    training: float
    validation: float


def fit(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    run_epoch: Callable[[int], tuple[float, float]],
    *,
    epochs: int,
    patience: int,
    run: str,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = False,
    label: str = "training",
) -> list[EpochRecord]:
    """Train ``model`` in place and leave it with the weights that validated best.

    Args:
        model: The network.
        optimiser: Its optimiser, whose state must be there already.
        run_epoch: Trains for the epoch of a number and returns training and validation error;
            everything random in it must be a function of that number.
        epochs: Largest number of epochs.
        patience: Epochs without a better validation error after which training stops.
        run: What identifies the run: a hash of its settings and data.
        checkpoint: File to write after every epoch. If it exists, training goes on from it and
            ends with the same weights, to the bit, as without the interruption.
        progress: Whether to show a progress bar.
        label: Words before the progress bar.

    Returns:
        One record per epoch.

    Raises:
        ValueError: If the checkpoint is unreadable or of another run.
    """
    path = None if checkpoint is None else Path(checkpoint)
    records: list[EpochRecord] = []
    best = _copy_of_weights(model)
    if path is not None and path.exists():
        saved, best = restore_checkpoint(path, run, model, optimiser)
        records = [EpochRecord(**record) for record in saved]
    with tqdm(total=epochs, initial=len(records), desc=label, disable=not progress) as bar:
        while len(records) < epochs and not _is_over(records, patience):
            training, validation = run_epoch(len(records))
            if all(validation < record.validation for record in records):
                best = _copy_of_weights(model)
            records.append(EpochRecord(len(records), training, validation))
            if path is not None:
                save_checkpoint(path, run, records, best, model, optimiser)
            bar.update()
            bar.set_postfix_str(f"training {training:.3f}, validation {validation:.3f}")
    model.load_state_dict(best)
    model.eval()
    return records


def _is_over(records: list[EpochRecord], patience: int) -> bool:
    if not records:
        return False
    best = min(records, key=lambda record: record.validation)
    return records[-1].epoch - best.epoch >= patience


def _copy_of_weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}
