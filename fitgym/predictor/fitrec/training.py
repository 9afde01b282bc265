"""Training of a FitRec network: early stopping, learning-rate decay, exact resuming."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor

from fitgym.common.validation import require_integer, require_number, require_seed
from fitgym.predictor.channels import HEART_RATE_SCALE_BPM
from fitgym.predictor.datasets import Example, Vocabulary, batches, collate
from fitgym.predictor.fitrec.network import Batch, FitRecNetwork
from fitgym.predictor.fitting import EpochRecord, fit


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained.

    Attributes:
        epochs: Largest number of passes over the examples.
        patience: Epochs without a better validation error after which training stops.
        batch_size: Workouts per update.
        learning_rate: RMSprop's step at the start.
        final_share: Share of the learning rate left at the last epoch (cosine in between).
        embedding_factor: Learning rate of the embeddings in terms of that of the rest. A row is
            touched only by its own workouts, so it learns too slowly at the common rate.
        trunk_factor: Learning rate of the trunk in terms of that of the output.
        history_factor: Learning rate of what encodes the history, likewise; 0 leaves it as it is.
        row_penalty: Penalty on the squared distance of the users' rows from ``unknown``, summed
            over users, divided by the number of examples: rows of people with few workouts stay
            near ``unknown``.
        stranger_share: Share of the workouts read as a stranger's, known by the previous workout;
            the others are known by their row and their history is hidden, so that the two never
            count the same evidence twice. None hides neither.
        smoothing: RMSprop's memory of squared gradients (Keras' 0.9, which the paper used).
        clip_norm: Largest norm of the gradient.
        seed: Seed of the order of the examples and of dropout.
    """

    epochs: int = 50
    patience: int = 10
    batch_size: int = 64
    learning_rate: float = 0.003
    final_share: float = 0.05
    embedding_factor: float = 1.0
    trunk_factor: float = 1.0
    history_factor: float = 1.0
    row_penalty: float = 0.0
    stranger_share: float | None = None
    smoothing: float = 0.99
    clip_norm: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "patience", "batch_size"):
            require_integer(name, getattr(self, name), 1)
        require_seed("seed", self.seed)
        for name in ("learning_rate", "embedding_factor", "clip_norm"):
            require_number(name, getattr(self, name), 0.0, low_open=True)
        for name in ("trunk_factor", "history_factor", "row_penalty"):
            require_number(name, getattr(self, name), 0.0)
        if self.stranger_share is not None:
            require_number("stranger_share", self.stranger_share, 0.0, 1.0)
        require_number("final_share", self.final_share, 0.0, 1.0)
        require_number("smoothing", self.smoothing, 0.0, 1.0, high_open=True)


def squared_error(output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean squared error over steps (all three (B, T))."""
    return ((output - target) ** 2 * weight).sum() / weight.sum()


def train(
    model: FitRecNetwork,
    vocabulary: Vocabulary,
    training: Sequence[Example],
    validation: Sequence[Example],
    config: TrainingConfig,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = False,
    label: str = "training",
) -> list[EpochRecord]:
    """Train ``model`` in place and leave it with the weights that validated best.

    Args:
        model: The network.
        vocabulary: Rows of its user embedding.
        training: Examples to learn from.
        validation: Examples that decide when to stop.
        config: How to train.
        checkpoint: File to write after every epoch. If it exists, training goes on from it and
            ends with the same weights, to the bit, as without the interruption.
        progress: Whether to show a progress bar.
        label: Words before the progress bar.

    Returns:
        One record per epoch: root mean squared errors in bpm, weighted as in the loss.

    Raises:
        ValueError: If there are no examples, or the checkpoint is unreadable or of another run.
    """
    if not training or not validation:
        raise ValueError("training and validation must each hold at least one example")
    factors = {
        "embeddings": config.embedding_factor,
        "context_lstm": config.history_factor,
        "target_lstm": config.history_factor,
        "context_projection": config.history_factor,
        "trunk_lstm": config.trunk_factor,
        "output": 1.0,
    }
    groups = [
        {"params": list(model.get_submodule(part).parameters()), "factor": factor}
        for part, factor in factors.items()
    ]
    optimiser = torch.optim.RMSprop(groups, lr=config.learning_rate, alpha=config.smoothing)
    # RMSprop's state appears with the first step; made here, it can be saved and restored.
    for parameter in model.parameters():
        optimiser.state[parameter] = {
            "step": torch.tensor(0.0),
            "square_avg": torch.zeros_like(parameter),
        }

    def run_epoch(epoch: int) -> tuple[float, float]:
        error = _run_epoch(model, vocabulary, training, optimiser, config, epoch)
        return error, evaluate(model, vocabulary, validation)

    return fit(
        model,
        optimiser,
        run_epoch,
        epochs=config.epochs,
        patience=config.patience,
        run=_fingerprint(config, model, training, validation),
        checkpoint=checkpoint,
        progress=progress,
        label=label,
    )


def evaluate(model: FitRecNetwork, vocabulary: Vocabulary, examples: Sequence[Example]) -> float:
    """Return the weighted root mean squared error in bpm over ``examples``."""
    model.eval()
    error = weight = 0.0
    with torch.inference_mode():
        for chunk in batches(examples, 64):
            batch = collate(chunk, vocabulary)
            total = float(batch.weight.sum())
            error += float(squared_error(model(batch), batch.target, batch.weight)) * total
            weight += total
    return HEART_RATE_SCALE_BPM * float(np.sqrt(error / weight))


def row_or_history(batch: Batch, stranger_share: float) -> Batch:
    """Return the batch with either the user's row or the previous workout hidden, by chance."""
    stranger = torch.rand(len(batch.attributes)) < stranger_share
    attributes = batch.attributes.clone()
    attributes[stranger, 0] = 0
    return replace(
        batch,
        attributes=attributes,
        previous_length=batch.previous_length.masked_fill(~stranger, 0),
    )


def _run_epoch(
    model: FitRecNetwork,
    vocabulary: Vocabulary,
    training: Sequence[Example],
    optimiser: torch.optim.RMSprop,
    config: TrainingConfig,
    epoch: int,
) -> float:
    """Pass once over the training examples and return their weighted RMSE in bpm."""
    model.train()
    errors: list[float] = []
    weights: list[float] = []
    chunks = list(batches(training, config.batch_size, np.random.default_rng([config.seed, epoch])))
    # Everything random is a function of seed and epoch, so an epoch repeats after a restart.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed * 1_000_003 + epoch)
        for number, chunk in enumerate(chunks):
            share = (epoch + number / len(chunks)) / config.epochs
            cosine = 0.5 * (1.0 + float(np.cos(np.pi * share)))
            rate = config.final_share + (1.0 - config.final_share) * cosine
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * group["factor"] * rate
            batch = collate(chunk, vocabulary)
            if config.stranger_share is not None:
                batch = row_or_history(batch, config.stranger_share)
            error = squared_error(model(batch), batch.target, batch.weight)
            users = model.get_parameter("embeddings.0.weight")
            distance = (users[1:] - users[0].detach()).square().sum()
            optimiser.zero_grad()
            (error + config.row_penalty / len(training) * distance).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
            optimiser.step()
            errors.append(error.item())
            weights.append(float(batch.weight.sum()))
    return HEART_RATE_SCALE_BPM * float(np.sqrt(np.average(errors, weights=weights)))


def _fingerprint(
    config: TrainingConfig,
    model: FitRecNetwork,
    training: Sequence[Example],
    validation: Sequence[Example],
) -> str:
    """Return what identifies a run: its settings, network and examples."""
    digest = hashlib.sha256(json.dumps([asdict(config), asdict(model.config)]).encode())
    for examples in (training, validation):
        for example in examples:
            digest.update(f"{example.workout.identifier} {example.weight!r};".encode())
            digest.update(example.target.tobytes())
        digest.update(b"|")
    return digest.hexdigest()
