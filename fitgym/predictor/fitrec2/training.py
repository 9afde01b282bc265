"""Training of the second edition: a fixed number of epochs, exact resuming, monotone in speed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from fitgym.common.validation import require_integer, require_number, require_seed
from fitgym.predictor.channels import HEART_RATE_SCALE_BPM
from fitgym.predictor.checkpoints import restore_checkpoint, save_checkpoint
from fitgym.predictor.fitrec2.data import SHOWN, TOLD, BodyExample, chunks, collate
from fitgym.predictor.fitrec2.network import Fitrec2Batch, Fitrec2Network
from fitgym.predictor.fitrec2.steady import steady_batch
from fitgym.predictor.fitting import EpochRecord

# Shares of workouts read in training without any told attribute, each attribute otherwise, and as
# a stranger's: without what earlier workouts show, and without the previous one.
NOTHING_TOLD, ONE_HIDDEN, STRANGER = 0.3, 0.25, 0.3
# Errors above this many bpm count linearly: hearts have off days.
HUBER_BPM = 12.0
# People whose steady heart rate is checked in each update, and the weight of its falls.
STEADY_PEOPLE, STEADY_WEIGHT = 6, 20.0


@dataclass(frozen=True)
class Fitrec2Training:
    """How a network is trained.

    Attributes:
        epochs: Passes over the examples.
        batch_size: Workouts per update.
        learning_rate: RMSprop's step at the start; it falls to a twentieth by a cosine.
        history_factor: Learning rate of what encodes the history, in terms of the rest's.
        clip_norm: Largest norm of the gradient.
        seed: Seed of the order of the examples, of what is hidden and of dropout.
    """

    epochs: int = 6
    batch_size: int = 64
    learning_rate: float = 0.002
    history_factor: float = 1.0
    clip_norm: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("epochs", "batch_size"):
            require_integer(name, getattr(self, name), 1)
        require_seed("seed", self.seed)
        for name in ("learning_rate", "clip_norm"):
            require_number(name, getattr(self, name), 0.0, low_open=True)
        require_number("history_factor", self.history_factor, 0.0)


def train(
    model: Fitrec2Network,
    training: Sequence[BodyExample],
    config: Fitrec2Training,
    *,
    validation: Sequence[BodyExample] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = False,
    label: str = "training",
) -> list[EpochRecord]:
    """Train ``model`` in place.

    Args:
        model: The network.
        training: Examples to learn from.
        config: How to train.
        validation: Examples whose error is recorded, and nothing else.
        checkpoint: File to write after every epoch. If it exists, training goes on from it and
            ends with the same weights, to the bit, as without the interruption.
        progress: Whether to show a progress bar.
        label: Words before the progress bar.

    Returns:
        Root mean squared errors in bpm of each epoch; NaN where nothing is validated on.

    Raises:
        ValueError: If there are no examples, or the checkpoint is unreadable or of another run.
    """
    if not training:
        raise ValueError("training must hold at least one example")
    history = {"context_lstm", "target_lstm", "context_projection"}
    groups = [
        {
            "params": list(part.parameters()),
            "factor": config.history_factor if name in history else 1.0,
        }
        for name, part in model.named_children()
    ]
    optimiser = torch.optim.RMSprop(groups, lr=config.learning_rate)
    for parameter in model.parameters():
        optimiser.state[parameter] = {
            "step": torch.tensor(0.0),
            "square_avg": torch.zeros_like(parameter),
        }
    run = _fingerprint(config, model, training)
    records: list[EpochRecord] = []
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and path.exists():
        saved, _ = restore_checkpoint(path, run, model, optimiser)
        records = [EpochRecord(**record) for record in saved]
    with tqdm(total=config.epochs, initial=len(records), desc=label, disable=not progress) as bar:
        while len(records) < config.epochs:
            epoch = len(records)
            error = _run_epoch(model, training, optimiser, config, epoch)
            held = rmse(model, validation) if validation else float("nan")
            records.append(EpochRecord(epoch, error, held))
            if path is not None:
                save_checkpoint(path, run, records, {}, model, optimiser)
            bar.update()
            bar.set_postfix_str(f"training {error:.2f}, validation {held:.2f} bpm")
    model.eval()
    return records


def rmse(model: Fitrec2Network, examples: Sequence[BodyExample]) -> float:
    """Return the weighted root mean squared error in bpm over ``examples``."""
    model.eval()
    error = weight = 0.0
    with torch.inference_mode():
        for chunk in chunks(examples, 64):
            batch = collate(chunk, np.stack([example.attributes for example in chunk]))
            error += float(((model(batch) - batch.target) ** 2 * batch.weight).sum())
            weight += float(batch.weight.sum())
    return HEART_RATE_SCALE_BPM * float(np.sqrt(error / weight))


def huber(output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean Huber error over steps (all three (B, T))."""
    delta = HUBER_BPM / HEART_RATE_SCALE_BPM
    errors = nn.functional.huber_loss(output, target, reduction="none", delta=delta)
    return (errors * weight).sum() / weight.sum()


def hide(
    attributes: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return attributes (B, A) of which some are hidden, and whose history is (B,)."""
    size = len(attributes)
    told = rng.random((size, len(TOLD))) < ONE_HIDDEN
    told |= (rng.random(size) < NOTHING_TOLD)[:, None]
    strangers = rng.random(size) < STRANGER
    hidden = np.zeros(attributes.shape, dtype=bool)
    hidden[:, TOLD] = told
    hidden[:, SHOWN] = strangers[:, None]
    return np.where(hidden, np.nan, attributes), strangers


def _run_epoch(
    model: Fitrec2Network,
    training: Sequence[BodyExample],
    optimiser: torch.optim.RMSprop,
    config: Fitrec2Training,
    epoch: int,
) -> float:
    """Pass once over the training examples and return their weighted RMSE in bpm."""
    model.train()
    squares = weights = 0.0
    rng = np.random.default_rng([config.seed, epoch])
    order = chunks(training, config.batch_size, rng)
    # Everything random is a function of seed and epoch, so an epoch repeats after a restart.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed * 1_000_003 + epoch)
        for number, chunk in enumerate(order):
            share = (epoch + number / len(order)) / config.epochs
            rate = 0.05 + 0.95 * 0.5 * (1.0 + float(np.cos(np.pi * share)))
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * group["factor"] * rate
            known, strangers = hide(np.stack([example.attributes for example in chunk]), rng)
            batch = collate(chunk, known)
            batch.previous_length[torch.from_numpy(strangers)] = 0
            output = model(batch)
            loss = huber(output, batch.target, batch.weight)
            if STEADY_PEOPLE:
                loss = loss + STEADY_WEIGHT * falls(model, steady_batch(rng, STEADY_PEOPLE))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
            optimiser.step()
            with torch.no_grad():
                squares += float(((output - batch.target) ** 2 * batch.weight).sum())
                weights += float(batch.weight.sum())
    return HEART_RATE_SCALE_BPM * float(np.sqrt(squares / weights))


def falls(model: Fitrec2Network, batch: tuple[Fitrec2Batch, int]) -> Tensor:
    """Return the mean squared fall of heart rate from each speed to the next higher one.

    Args:
        model: The network.
        batch: Steady sessions, each person's in rising order of speed, and the speeds of each.
    """
    sessions, speeds = batch
    output = model(sessions)
    rising = output.view(-1, speeds, output.shape[1])
    fall = torch.relu(rising[:, :-1] - rising[:, 1:])
    return fall.square().mean()


def _fingerprint(
    config: Fitrec2Training, model: Fitrec2Network, training: Sequence[BodyExample]
) -> str:
    """Return what identifies a run: its settings, first weights and examples."""
    digest = hashlib.sha256(json.dumps([asdict(config), asdict(model.config)]).encode())
    for tensor in model.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    for full in training:
        digest.update(f"{full.workout.identifier} {full.example.weight!r};".encode())
        digest.update(full.example.target.tobytes() + full.attributes.tobytes())
    return digest.hexdigest()
