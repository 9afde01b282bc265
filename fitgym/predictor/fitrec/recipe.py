"""How the shipped network is made: pre-training on virtual people, then real recordings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

import torch

from fitgym.common.json_files import read_object
from fitgym.common.validation import require_integer, require_number, require_seed
from fitgym.predictor.datasets import (
    Example,
    Vocabulary,
    collate,
    encode_workouts,
    weigh_users,
    without_history,
)
from fitgym.predictor.fitrec.network import FitRecConfig, FitRecNetwork, align_context
from fitgym.predictor.fitrec.training import TrainingConfig, squared_error, train
from fitgym.predictor.fitting import EpochRecord
from fitgym.predictor.simulator.workouts import (
    SimulatorConfig,
    draw_virtual_people,
    response_scores,
    simulate_workouts,
)

SHIPPED_RECIPE = Path(str(files("fitgym") / "data" / "predictor" / "recipe.json"))

# Ours: rows of virtual people begin at their physiology, not at the paper's N(0, 0.01): four
# workouts of each are too few for the network to find out what a row is good for.
ROW_SCALE = 0.5


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, apart from the recordings.

    Attributes:
        simulator: The virtual people to pre-train on; the seed is added to the recipe's.
        pretraining: How to train on them.
        fine_tuning: How to train on the recordings.
        rehearsal: Simulated workouts kept in every epoch of fine-tuning.
        rehearsal_share: Their total weight, as a share of that of the recordings.
        seed: Seed of everything random.
    """

    simulator: SimulatorConfig = field(default_factory=SimulatorConfig)
    pretraining: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(epochs=8, patience=8)
    )
    fine_tuning: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(
            epochs=16, patience=6, batch_size=16, learning_rate=0.0007
        )
    )
    rehearsal: int = 200
    rehearsal_share: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        require_integer("rehearsal", self.rehearsal, 0)
        require_number("rehearsal_share", self.rehearsal_share, 0.0)
        require_seed("seed", self.seed)


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """Read a recipe from JSON: the fields of ``Recipe``, missing ones at their defaults.

    Raises:
        OSError: If the file is missing or unreadable.
        ValueError: If it is not JSON, or has an unknown field or one out of range.
    """
    try:
        content = read_object(path)
        parts = {
            "simulator": SimulatorConfig,
            "pretraining": TrainingConfig,
            "fine_tuning": TrainingConfig,
        }
        for name in parts.keys() & content.keys():
            content[name] = parts[name](**content[name])
        return Recipe(**content)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{os.fspath(path)} is not a recipe: {error}") from error


def pretrain(
    recipe: Recipe, folder: str | os.PathLike[str] | None = None, *, progress: bool = False
) -> tuple[FitRecNetwork, Vocabulary, list[EpochRecord]]:
    """Train a new network on virtual people, every second one with an own row.

    Args:
        recipe: What to simulate and how to train.
        folder: Where to keep the checkpoint ``pretraining.safetensors``; None keeps none.
        progress: Whether to show a progress bar.

    Returns:
        The network, its vocabulary and the learning curve.
    """
    simulator = replace(recipe.simulator, seed=recipe.simulator.seed + recipe.seed)
    workouts = simulate_workouts(simulator)
    # Strangers decide when to stop: their rows do not exist, so they are read as unknown.
    people = max(simulator.people // 20, 1)
    strangers = simulate_workouts(replace(simulator, people=people, seed=simulator.seed + 10_000))
    # Only every second person has a row: whoever has none is known by the previous workout alone,
    # which the network would hardly learn to read if rows always told more.
    virtual = draw_virtual_people(simulator)
    vocabulary = Vocabulary(("unknown", *virtual.users[::2]))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = FitRecNetwork(FitRecConfig(attributes=vocabulary.sizes))
    with torch.no_grad():
        rows = ROW_SCALE * response_scores(virtual)[::2]
        model.get_parameter("embeddings.0.weight")[1:] = torch.from_numpy(rows)
    validation = [
        replace(example, workout=replace(example.workout, user="unknown"))
        for example in encode_workouts(strangers)
    ]
    records = train(
        model,
        vocabulary,
        encode_workouts(workouts),
        validation,
        replace(recipe.pretraining, seed=recipe.seed),
        checkpoint=None if folder is None else Path(folder) / "pretraining.safetensors",
        progress=progress,
        label="pre-training",
    )
    return model, vocabulary, records


def fine_tune(
    model: FitRecNetwork,
    training: Sequence[Example],
    validation: Sequence[Example],
    recipe: Recipe,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool = False,
    label: str = "fine-tuning",
) -> tuple[FitRecNetwork, Vocabulary, list[EpochRecord]]:
    """Train a copy of a pre-trained network on recordings.

    The people of ``training`` get rows that begin as ``unknown``; simulated workouts rehearse what
    the recordings hold too little of, such as long structured runs after a hard day.

    Args:
        model: The pre-trained network; it is left as it is.
        training: Examples to learn from.
        validation: Examples that decide when to stop.
        recipe: How to train.
        checkpoint: File to write after every epoch and to resume from.
        progress: Whether to show a progress bar.
        label: Words before the progress bar.

    Returns:
        The trained network, its vocabulary and the learning curve.
    """
    vocabulary = Vocabulary.of([example.workout for example in training])
    if recipe.fine_tuning.stranger_share is not None:
        # As in use: whoever has a row is predicted from it, a stranger from the previous workout.
        known = set(vocabulary.users)
        validation = [
            *without_history([e for e in validation if e.workout.user in known]),
            *(e for e in validation if e.workout.user not in known),
        ]
    tuned = with_users(model, vocabulary)
    weighed = weigh_users(training)
    if recipe.rehearsal:
        simulator = replace(
            recipe.simulator,
            people=-(-recipe.rehearsal // recipe.simulator.workouts),
            seed=recipe.simulator.seed + recipe.seed + 20_000,
        )
        simulated = encode_workouts(simulate_workouts(simulator))[: recipe.rehearsal]
        weight = recipe.rehearsal_share * len(weighed) / len(simulated)
        weighed += [replace(example, weight=weight) for example in simulated]
    records = train(
        tuned,
        vocabulary,
        weighed,
        weigh_users(validation),
        replace(recipe.fine_tuning, seed=recipe.seed),
        checkpoint=checkpoint,
        progress=progress,
        label=label,
    )
    return tuned, vocabulary, records


def with_users(model: FitRecNetwork, vocabulary: Vocabulary) -> FitRecNetwork:
    """Return a copy of ``model`` with a row per user of ``vocabulary``, each as ``unknown``."""
    copy = FitRecNetwork(replace(model.config, attributes=vocabulary.sizes))
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state["embeddings.0.weight"] = state["embeddings.0.weight"][:1].repeat(len(vocabulary.users), 1)
    copy.load_state_dict(state)
    return copy.eval()


def without_users(model: FitRecNetwork) -> tuple[FitRecNetwork, Vocabulary]:
    """Return a copy that knows nobody: what is shipped holds no row of any person."""
    vocabulary = Vocabulary()
    return with_users(model, vocabulary), vocabulary


def fit_user(
    model: FitRecNetwork,
    vocabulary: Vocabulary,
    examples: Sequence[Example],
    *,
    steps: int = 60,
    learning_rate: float = 0.02,
    shrinkage: float = 0.3,
) -> tuple[FitRecNetwork, Vocabulary]:
    """Return a copy with one more user row, fitted to a few workouts of one person.

    Only the five numbers of the row are fitted; the network is left as it is.

    Args:
        model: A trained network.
        vocabulary: Rows of its user embedding.
        examples: Workouts of the person.
        steps: Steps of Adam.
        learning_rate: Its step.
        shrinkage: Penalty on the squared distance from ``unknown``, per workout known one over.

    Raises:
        ValueError: If the examples are not of one person, or that person has a row already.
    """
    users = {example.workout.user for example in examples}
    if len(users) != 1 or users & set(vocabulary.users):
        raise ValueError(f"examples must be of one person without a row, got {sorted(users)}")
    extended = Vocabulary((*vocabulary.users, *users))
    unknown = model.state_dict()["embeddings.0.weight"][0]
    row = unknown.clone().requires_grad_()
    optimiser = torch.optim.Adam([row], lr=learning_rate)
    model.eval()
    batch = collate(examples, vocabulary)
    with torch.no_grad():
        encoded = model.encode_history(batch.previous_channels, batch.previous_target)
        context = align_context(encoded, batch.previous_length, batch.channels.shape[1])
        static = model.embed(batch.attributes)[:, model.config.embedding :]
    for _ in range(steps):
        embedded = torch.cat([row.expand(len(examples), -1), static], dim=1)
        output = model.trunk(batch.channels, context, embedded)
        distance = ((row - unknown) ** 2).sum()
        error = squared_error(output, batch.target, batch.weight)
        loss = error + shrinkage / len(examples) * distance
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    copy = FitRecNetwork(replace(model.config, attributes=extended.sizes))
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state["embeddings.0.weight"] = torch.cat([state["embeddings.0.weight"], row.detach()[None]])
    copy.load_state_dict(state)
    return copy.eval(), extended
