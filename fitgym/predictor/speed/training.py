"""Training of the network that predicts speed: virtual people first, then recordings."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fitgym.common.validation import require_integer, require_number, require_seed
from fitgym.predictor.channels import SPEED_CENTRE_M_S, SPEED_SCALE_M_S, SPORTS
from fitgym.predictor.fitrec2.data import BodyExample, chunks, collate, encode_bodies
from fitgym.predictor.fitrec2.network import Fitrec2Batch, Fitrec2Config
from fitgym.predictor.fitrec2.people import VirtualPeopleConfig, simulate_people
from fitgym.predictor.fitrec2.training import hide
from fitgym.predictor.fitting import EpochRecord, fit
from fitgym.predictor.speed.network import SpeedNetwork, speed_target

# Errors count in units of how much speeds of a sport spread about a workout's mean (ours), so
# that rides, ten times as variable as walks, do not rule; beyond one unit they count linearly.
SPREAD_M_S = {"unknown": 0.8, "run": 0.6, "bike": 2.0, "walk": 0.5, "other": 1.0}
# Seed added for the virtual people that decide when pre-training stops, and their number.
VALIDATION_SEED, VALIDATION_PEOPLE = 10_000, 60


@dataclass(frozen=True)
class SpeedTraining:
    """How the network is trained.

    Attributes:
        people: The virtual people to pre-train on; the seed is added to theirs.
        pretraining_epochs: Passes over their workouts.
        epochs: Largest number of passes over the recordings.
        patience: Passes without a better validation error after which training stops.
        batch_size: Workouts per update.
        pretraining_rate: RMSprop's step on virtual people.
        learning_rate: RMSprop's step on recordings.
        clip_norm: Largest norm of the gradient.
        seed: Seed of everything random.
    """

    people: VirtualPeopleConfig = field(default_factory=lambda: VirtualPeopleConfig(people=1500))
    pretraining_epochs: int = 8
    epochs: int = 20
    patience: int = 5
    batch_size: int = 32
    pretraining_rate: float = 0.002
    learning_rate: float = 0.0007
    clip_norm: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("pretraining_epochs", "epochs", "patience", "batch_size"):
            require_integer(name, getattr(self, name), 1)
        for name in ("pretraining_rate", "learning_rate", "clip_norm"):
            require_number(name, getattr(self, name), 0.0, low_open=True)
        require_seed("seed", self.seed)


def pretrain(
    config: SpeedTraining,
    folder: str | os.PathLike[str] | None = None,
    *,
    progress: bool = False,
) -> tuple[SpeedNetwork, list[EpochRecord]]:
    """Train a new network on virtual people.

    Args:
        config: What to simulate and how to train.
        folder: Where to keep the checkpoint ``pretraining.safetensors``; None keeps none.
        progress: Whether to show a progress bar.

    Returns:
        The network and its learning curve.
    """
    people = replace(config.people, seed=config.people.seed + config.seed)
    others = replace(people, people=VALIDATION_PEOPLE, seed=people.seed + VALIDATION_SEED)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = SpeedNetwork(Fitrec2Config())
    records = train(
        model,
        encode_bodies(*simulate_people(people)),
        encode_bodies(*simulate_people(others)),
        config,
        epochs=config.pretraining_epochs,
        rate=config.pretraining_rate,
        checkpoint=None if folder is None else Path(folder) / "pretraining.safetensors",
        progress=progress,
        label="pre-training",
    )
    return model, records


def fine_tune(
    model: SpeedNetwork,
    training: Sequence[BodyExample],
    validation: Sequence[BodyExample],
    config: SpeedTraining,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = False,
    label: str = "fine-tuning",
) -> tuple[SpeedNetwork, list[EpochRecord]]:
    """Train a copy of a pre-trained network on recordings, a person with n weighing sqrt(n).

    Args:
        model: The pre-trained network; it is left as it is.
        training: Recordings to learn from.
        validation: Recordings that decide when to stop.
        config: How to train.
        checkpoint: File to write after every epoch and to resume from.
        progress: Whether to show a progress bar.
        label: Words before the progress bar.

    Returns:
        The trained network and its learning curve.
    """
    copy = SpeedNetwork(model.config)
    copy.load_state_dict(model.state_dict())
    counts = Counter(example.workout.user for example in training)
    weights = np.array([counts[example.workout.user] ** -0.5 for example in training])
    weighed = [
        replace(each, example=replace(each.example, weight=float(weight)))
        for each, weight in zip(training, weights / weights.mean(), strict=True)
    ]
    records = train(
        copy,
        weighed,
        validation,
        config,
        epochs=config.epochs,
        rate=config.learning_rate,
        checkpoint=checkpoint,
        progress=progress,
        label=label,
    )
    return copy, records


def train(
    model: SpeedNetwork,
    training: Sequence[BodyExample],
    validation: Sequence[BodyExample],
    config: SpeedTraining,
    *,
    epochs: int,
    rate: float,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = False,
    label: str = "training",
) -> list[EpochRecord]:
    """Train ``model`` in place and leave it with the weights that validated best.

    The step falls to a twentieth along a cosine. The records hold the loss in training and in
    validation, Huber's in units of ``SPREAD_M_S``.

    Raises:
        ValueError: If there is nothing to learn from or to validate on.
    """
    if not training or not validation:
        raise ValueError(
            f"training and validation must each hold a workout, got {len(training)} and "
            f"{len(validation)}"
        )
    optimiser = torch.optim.RMSprop(model.parameters(), lr=rate)
    for parameter in model.parameters():
        optimiser.state[parameter] = {
            "step": torch.tensor(0.0),
            "square_avg": torch.zeros_like(parameter),
        }

    def run_epoch(epoch: int) -> tuple[float, float]:
        model.train()
        total = weight = 0.0
        rng = np.random.default_rng([config.seed, epoch])
        order = chunks(training, config.batch_size, rng)
        # Everything random is a function of seed and epoch, so an epoch repeats after a restart.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed * 1_000_003 + epoch)
            for number, chunk in enumerate(order):
                share = (epoch + number / len(order)) / epochs
                for group in optimiser.param_groups:
                    group["lr"] = rate * (0.05 + 0.475 * (1.0 + float(np.cos(np.pi * share))))
                known, strangers = hide(np.stack([each.attributes for each in chunk]), rng)
                batch = collate(chunk, known)
                batch.previous_length[torch.from_numpy(strangers)] = 0
                loss, steps = speed_loss(model(batch), batch)
                optimiser.zero_grad()
                (loss / steps).backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
                optimiser.step()
                total, weight = total + loss.item(), weight + steps.item()
        return total / weight, validation_loss(model, validation)

    return fit(
        model,
        optimiser,
        run_epoch,
        epochs=epochs,
        patience=config.patience,
        run=_fingerprint(config, model, training, validation, epochs, rate),
        checkpoint=checkpoint,
        progress=progress,
        label=label,
    )


def speed_loss(output: Tensor, batch: Fitrec2Batch) -> tuple[Tensor, Tensor]:
    """Return the weighted sum of Huber errors over steps, and the sum of the weights."""
    spread = torch.tensor([SPREAD_M_S[sport] for sport in SPORTS])[batch.categories[:, :1]]
    error = (output - speed_target(batch)) * SPEED_SCALE_M_S / spread
    losses = torch.nn.functional.huber_loss(error, torch.zeros_like(error), reduction="none")
    return (losses * batch.weight).sum(), batch.weight.sum()


def validation_loss(model: SpeedNetwork, examples: Sequence[BodyExample]) -> float:
    """Return the mean loss over ``examples``."""
    model.eval()
    total = weight = 0.0
    with torch.inference_mode():
        for chunk in chunks(examples, 64):
            batch = collate(chunk, np.stack([each.attributes for each in chunk]))
            loss, steps = speed_loss(model(batch), batch)
            total, weight = total + float(loss), weight + float(steps)
    return total / weight


def predict_speed(
    model: SpeedNetwork, examples: Sequence[BodyExample]
) -> list[NDArray[np.float64]]:
    """Return the speed (T,) in m/s the network predicts for each example."""
    model.eval()
    predicted: dict[int, NDArray[np.float64]] = {}
    with torch.inference_mode():
        for chunk in chunks(examples, 64):
            output = model(collate(chunk, np.stack([each.attributes for each in chunk]))).numpy()
            for example, row in zip(chunk, output, strict=True):
                speed = row[: len(example)].astype(np.float64)
                predicted[id(example)] = speed * SPEED_SCALE_M_S + SPEED_CENTRE_M_S
    return [predicted[id(example)] for example in examples]


def _fingerprint(
    config: SpeedTraining,
    model: SpeedNetwork,
    training: Sequence[BodyExample],
    validation: Sequence[BodyExample],
    epochs: int,
    rate: float,
) -> str:
    """Return what identifies a run: its settings, first weights and examples."""
    settings = [asdict(config), asdict(model.config), epochs, rate]
    digest = hashlib.sha256(json.dumps(settings).encode())
    for tensor in model.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    for full in (*training, *validation):
        digest.update(f"{full.workout.identifier} {full.example.weight!r};".encode())
        digest.update(full.example.channels.tobytes() + full.attributes.tobytes())
    return digest.hexdigest()
