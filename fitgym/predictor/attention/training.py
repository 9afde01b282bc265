"""Training of FitRec-Attn: early stopping, learning-rate decay, exact resuming."""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from fitgym.common.validation import require_integer, require_number, require_seed
from fitgym.predictor.attention.data import WindowSet
from fitgym.predictor.attention.network import FitRecAttention
from fitgym.predictor.channels import HEART_RATE_SCALE_BPM
from fitgym.predictor.fitting import EpochRecord, fit

WINDOWS_PER_CALL = 4096


@dataclass(frozen=True)
class AttentionTrainingConfig:
    """How FitRec-Attn is trained.

    Attributes:
        epochs: Largest number of epochs.
        patience: Epochs without a better validation error after which training stops.
        windows_per_epoch: Windows drawn, with replacement, for one epoch. Windows that start at
            neighbouring steps are nearly the same, so an epoch need not visit them all (ours).
        batch_size: Windows per update.
        learning_rate: Adam's step at the start (0.005 in the paper), from which it falls to zero
            along a cosine (ours).
        linear_beyond_bpm: Errors beyond this many bpm enter the loss linearly rather than squared
            (ours: the paper's squared error is ruled by the few jumps of a faulty sensor).
            Infinity gives the squared error.
        clip_norm: Largest norm of the gradient.
        seed: Seed of the windows drawn and of dropout.
    """

    epochs: int = 8
    patience: int = 5
    windows_per_epoch: int = 16_384
    batch_size: int = 512
    learning_rate: float = 0.005
    linear_beyond_bpm: float = 1.0
    clip_norm: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "patience", "batch_size"):
            require_integer(name, getattr(self, name), 1)
        require_integer("windows_per_epoch", self.windows_per_epoch, self.batch_size)
        require_seed("seed", self.seed)
        for name in ("learning_rate", "clip_norm"):
            require_number(name, getattr(self, name), 0.0, low_open=True)
        if self.linear_beyond_bpm != math.inf:
            require_number("linear_beyond_bpm", self.linear_beyond_bpm, 0.0, low_open=True)

    @property
    def updates_per_epoch(self) -> int:
        """Number of updates in an epoch."""
        return self.windows_per_epoch // self.batch_size


def train_attention(
    model: FitRecAttention,
    windows: WindowSet,
    training: Tensor,
    validation: Tensor,
    config: AttentionTrainingConfig,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = False,
    label: str = "training",
) -> list[EpochRecord]:
    """Train ``model`` in place and leave it with the weights that validated best.

    Windows are drawn so that a person with n of them comes up with a weight of sqrt(n).

    Args:
        model: The network.
        windows: The windows of all workouts.
        training: (n,) indices of the windows to learn from.
        validation: (n,) indices of the windows that decide when to stop.
        config: How to train.
        checkpoint: File to write after every epoch. If it exists, training goes on from it and
            ends with the same weights, to the bit, as without the interruption.
        progress: Whether to show a progress bar.
        label: Words before the progress bar.

    Returns:
        One record per epoch: the mean loss over its windows, and the mean over the validation
        workouts of their mean absolute error in bpm.

    Raises:
        ValueError: If there are no windows, or the checkpoint is unreadable or of another run.
    """
    if not len(training) or not len(validation):
        raise ValueError(
            f"training and validation must each hold at least one window, got {len(training)} "
            f"and {len(validation)}"
        )
    optimiser = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    # Adam's state appears with the first step; made here, it can be saved and restored.
    for parameter in model.parameters():
        optimiser.state[parameter] = {
            "step": torch.tensor(0.0),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }

    def run_epoch(epoch: int) -> tuple[float, float]:
        loss = _run_epoch(model, windows, training, optimiser, config, epoch)
        predicted = predict_windows(model, windows, validation)
        return loss, mean_workout_error(windows, validation, predicted)

    return fit(
        model,
        optimiser,
        run_epoch,
        epochs=config.epochs,
        patience=config.patience,
        run=_fingerprint(model, windows, training, validation, config),
        checkpoint=checkpoint,
        progress=progress,
        label=label,
    )


def predict_windows(model: FitRecAttention, windows: WindowSet, indices: Tensor) -> Tensor:
    """Return the predicted last heart rate (n,) in bpm of windows (n,), relative to 140 bpm."""
    model.eval()
    with torch.inference_mode():
        parts = [
            model(windows.batch(part)[0]).prediction
            for part in torch.split(indices, WINDOWS_PER_CALL)
        ]
    return torch.cat(parts) * HEART_RATE_SCALE_BPM


def mean_workout_error(windows: WindowSet, indices: Tensor, predicted_bpm: Tensor) -> float:
    """Return the mean over workouts of the mean absolute error of their windows, in bpm."""
    actual = windows.heart_rates(indices)[:, -1] * HEART_RATE_SCALE_BPM
    _, workout = torch.unique(windows.workout[indices], return_inverse=True)
    errors = (predicted_bpm - actual).abs().double()
    return float((torch.bincount(workout, errors) / torch.bincount(workout)).mean())


def user_balanced_weights(windows: WindowSet, indices: Tensor) -> Tensor:
    """Return sampling weights (n,) under which a person with n windows weighs sqrt(n) in all."""
    people = windows.attributes[windows.starts[indices], 0]
    return torch.bincount(people)[people].double().rsqrt()


def _run_epoch(
    model: FitRecAttention,
    windows: WindowSet,
    training: Tensor,
    optimiser: torch.optim.Adam,
    config: AttentionTrainingConfig,
    epoch: int,
) -> float:
    """Make one epoch's updates and return the mean loss."""
    model.train()
    weights = user_balanced_weights(windows, training)
    updates = config.updates_per_epoch
    total = 0.0
    # Everything random is a function of seed and epoch, so an epoch repeats after a restart.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed * 1_000_003 + epoch)
        drawn = torch.multinomial(weights, updates * config.batch_size, replacement=True)
        for update, part in enumerate(torch.split(training[drawn], config.batch_size)):
            share = (epoch + update / updates) / config.epochs
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * share))
            batch, target = windows.batch(part)
            loss = robust_loss(model(batch).prediction, target, config.linear_beyond_bpm)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
            optimiser.step()
            total += loss.item()
    return total / updates


def robust_loss(prediction: Tensor, target: Tensor, linear_beyond_bpm: float) -> Tensor:
    """Return Huber's loss in units of ``linear_beyond_bpm``, or the mean squared error.

    Args:
        prediction: (B,) in the network's unit.
        target: (B,) in the network's unit.
        linear_beyond_bpm: Where the loss turns linear; infinity for the squared error.
    """
    if linear_beyond_bpm == math.inf:
        return nn.functional.mse_loss(prediction, target)
    threshold = linear_beyond_bpm / HEART_RATE_SCALE_BPM
    return nn.functional.smooth_l1_loss(prediction, target, beta=threshold)


def _fingerprint(
    model: FitRecAttention,
    windows: WindowSet,
    training: Tensor,
    validation: Tensor,
    config: AttentionTrainingConfig,
) -> str:
    """Return what identifies a run: its settings, network and windows."""
    digest = hashlib.sha256(json.dumps([asdict(config), asdict(model.config)]).encode())
    for tensor in (windows.channels, windows.heart_rate, windows.starts, training, validation):
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
