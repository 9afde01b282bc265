"""How the second edition is made: virtual people with bodies first, then recordings."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch

from fitgym.common.json_files import read_object
from fitgym.common.validation import require_integer, require_number, require_seed
from fitgym.predictor.fitrec2.data import BodyExample, encode_bodies
from fitgym.predictor.fitrec2.network import Fitrec2Config, Fitrec2Network
from fitgym.predictor.fitrec2.people import VirtualPeopleConfig, simulate_people
from fitgym.predictor.fitrec2.training import Fitrec2Training, train
from fitgym.predictor.fitting import EpochRecord

SHIPPED_RECIPE = Path(str(files("fitgym") / "data" / "predictor" / "recipe2.json"))

# Seeds of the virtual people that are only validated on, and of those rehearsed.
VALIDATION_SEED, REHEARSAL_SEED = 10_000, 20_000
VALIDATION_PEOPLE = 60


@dataclass(frozen=True)
class Fitrec2Recipe:
    """Everything that decides the weights, apart from the recordings.

    Attributes:
        people: The virtual people to pre-train on; the seed is added to the recipe's.
        pretraining: How to train on them.
        fine_tuning: How to train on the recordings.
        rehearsal: Simulated workouts kept in every epoch of fine-tuning.
        rehearsal_share: Their total weight, as a share of that of the recordings.
        seed: Seed of everything random.
    """

    people: VirtualPeopleConfig = field(default_factory=VirtualPeopleConfig)
    pretraining: Fitrec2Training = field(default_factory=Fitrec2Training)
    fine_tuning: Fitrec2Training = field(default_factory=Fitrec2Training)
    rehearsal: int = 300
    rehearsal_share: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        require_integer("rehearsal", self.rehearsal, 0)
        require_number("rehearsal_share", self.rehearsal_share, 0.0)
        require_seed("seed", self.seed)


def read_recipe(path: str | os.PathLike[str] = SHIPPED_RECIPE) -> Fitrec2Recipe:
    """Read a recipe from JSON: the fields of ``Fitrec2Recipe``, missing ones at their defaults.

    Raises:
        OSError: If the file is missing or unreadable.
        ValueError: If it is not JSON, or has an unknown field or one out of range.
    """
    parts = {
        "people": VirtualPeopleConfig,
        "pretraining": Fitrec2Training,
        "fine_tuning": Fitrec2Training,
    }
    try:
        content = read_object(path)
        for name in parts.keys() & content.keys():
            content[name] = parts[name](**content[name])
        return Fitrec2Recipe(**content)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{os.fspath(path)} is not a recipe: {error}") from error


def pretrain(
    recipe: Fitrec2Recipe, folder: str | os.PathLike[str] | None = None, *, progress: bool = False
) -> tuple[Fitrec2Network, list[EpochRecord]]:
    """Train a new network on virtual people.

    Args:
        recipe: What to simulate and how to train.
        folder: Where to keep the checkpoint ``pretraining2.safetensors``; None keeps none.
        progress: Whether to show a progress bar.

    Returns:
        The network and its learning curve.
    """
    people = replace(recipe.people, seed=recipe.people.seed + recipe.seed)
    others = replace(people, people=VALIDATION_PEOPLE, seed=people.seed + VALIDATION_SEED)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = Fitrec2Network(Fitrec2Config())
    records = train(
        model,
        encode_bodies(*simulate_people(people)),
        replace(recipe.pretraining, seed=recipe.seed),
        validation=encode_bodies(*simulate_people(others)),
        checkpoint=None if folder is None else Path(folder) / "pretraining2.safetensors",
        progress=progress,
        label="pre-training",
    )
    return model, records


def rehearsed(recipe: Fitrec2Recipe) -> list[BodyExample]:
    """Return the virtual people's workouts that fine-tuning rehearses."""
    if not recipe.rehearsal:
        return []
    people = replace(
        recipe.people,
        people=-(-recipe.rehearsal // recipe.people.workouts),
        seed=recipe.people.seed + recipe.seed + REHEARSAL_SEED,
    )
    return encode_bodies(*simulate_people(people))[: recipe.rehearsal]


def fine_tune(
    model: Fitrec2Network,
    training: Sequence[BodyExample],
    rehearsal: Sequence[BodyExample],
    recipe: Fitrec2Recipe,
    *,
    validation: Sequence[BodyExample] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = False,
    label: str = "fine-tuning",
) -> tuple[Fitrec2Network, list[EpochRecord]]:
    """Train a copy of a pre-trained network on recordings.

    Args:
        model: The pre-trained network; it is left as it is.
        training: Recordings.
        rehearsal: Simulated workouts, from ``rehearsed``, that keep alive what recordings do not
            hold: told attributes, paces beyond training's.
        recipe: How to train.
        validation: Examples whose error is recorded, and nothing else.
        checkpoint: File to write after every epoch and to resume from.
        progress: Whether to show a progress bar.
        label: Words before the progress bar.

    Returns:
        The trained network and its learning curve.
    """
    copy = Fitrec2Network(model.config)
    copy.load_state_dict(model.state_dict())
    counts = Counter(example.workout.user for example in training)
    weights = np.array([counts[example.workout.user] ** -0.5 for example in training])
    weights /= weights.mean()
    weighed = [_weigh(e, float(w)) for e, w in zip(training, weights, strict=True)]
    if rehearsal:
        share = recipe.rehearsal_share * len(weighed) / len(rehearsal)
        weighed += [_weigh(example, share) for example in rehearsal]
    records = train(
        copy,
        weighed,
        replace(recipe.fine_tuning, seed=recipe.seed),
        validation=validation,
        checkpoint=checkpoint,
        progress=progress,
        label=label,
    )
    return copy, records


def _weigh(example: BodyExample, weight: float) -> BodyExample:
    return replace(example, example=replace(example.example, weight=weight))
