"""Training and testing on recordings by cross-validation over people, and on known people.

    (a)  later workouts of known people, whose earlier ones were trained on
    (b)  people never seen: as a stranger, and with the previous workout known
    (c)  the same after 1, 3 and 10 calibration workouts

The components of a fold's spread are fitted to the errors of the other folds' people, each
predicted by a network that was not trained on them.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fitgym.logs.workout import Workout
from fitgym.predictor.baselines import Baselines
from fitgym.predictor.correction import SessionErrors, VarianceComponents, fit_components
from fitgym.predictor.datasets import Example
from fitgym.predictor.fitrec2.data import BodyExample, encode_bodies
from fitgym.predictor.fitrec2.evaluation import (
    NETWORK,
    PERSONAL,
    cross_validated_baselines,
    describe_recordings,
    situation_report,
    situations,
)
from fitgym.predictor.fitrec2.network import Fitrec2Network
from fitgym.predictor.fitrec2.personal import Forecast, Question, StrangerForecasts, forecast
from fitgym.predictor.fitrec2.recipe import Fitrec2Recipe, fine_tune, pretrain, rehearsed
from fitgym.predictor.fitting import EpochRecord
from fitgym.predictor.splits import Split, folds_of_people, later_workouts

KNOWN = "known people"


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """Networks of the folds of one seed.

    Attributes:
        pretrained: The network before fine-tuning.
        folds: The folds.
        networks: For each fold the network trained on the others.
        strangers: For each fold the forecasts of its test people as strangers.
        curves: Learning curves by stage.
    """

    pretrained: Fitrec2Network
    folds: list[Split]
    networks: list[Fitrec2Network]
    strangers: list[StrangerForecasts]
    curves: dict[str, list[EpochRecord]]

    def components(self, without: int | None = None) -> VarianceComponents:
        """Return the components fitted to all folds' errors as strangers, but those of one."""
        return fit_components(
            list(self.errors([i for i in range(len(self.folds)) if i != without]).values())
        )

    def errors(self, chosen: Sequence[int]) -> dict[str, list[SessionErrors]]:
        """Return, by user, the errors as strangers of the people tested in the chosen folds."""
        errors: dict[str, list[SessionErrors]] = defaultdict(list)
        for index in chosen:
            for example in self.folds[index].test:
                errors[example.workout.user].append(self.strangers[index].errors(example))
        return errors


def cross_validate(
    encoded: Sequence[BodyExample],
    recipe: Fitrec2Recipe,
    *,
    folder: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> CrossValidated:
    """Pre-train a network and fine-tune it on each fold's training people.

    Args:
        encoded: All recordings.
        recipe: How to train.
        folder: Where to keep a checkpoint per training, from which a later call resumes.
        progress: Whether to show progress bars.
    """
    root = None if folder is None else Path(folder)
    pretrained, curve = pretrain(recipe, root, progress=progress)
    curves = {"pre-training": curve}
    rehearsal = rehearsed(recipe)
    own = {id(each.example): each for each in encoded}
    folds = folds_of_people([each.example for each in encoded])
    networks, strangers = [], []
    for index, fold in enumerate(folds):
        model, curves[f"fold {index}"] = fine_tune(
            pretrained,
            [own[id(example)] for example in (*fold.training, *fold.validation)],
            rehearsal,
            recipe,
            validation=[own[id(example)] for example in fold.test],
            checkpoint=None if root is None else root / f"fold{index}.safetensors",
            progress=progress,
            label=f"fold {index}",
        )
        networks.append(model)
        strangers.append(StrangerForecasts(model, fold.test))
    return CrossValidated(pretrained, folds, networks, strangers, curves)


def evaluate_recipe(
    workouts: Sequence[Workout],
    recipes: Sequence[Fitrec2Recipe],
    folder: str | os.PathLike[str],
    *,
    progress: bool = False,
) -> dict[str, Any]:
    """Train and test under every protocol, once per recipe, and beside the baselines.

    Args:
        workouts: Recordings of at least as many people as there are folds.
        recipes: The same recipe with different seeds.
        folder: Holds a folder of checkpoints per seed, from which a later call resumes.
        progress: Whether to show progress bars.

    Returns:
        ``recordings`` and ``situations`` as ``evaluation.evaluate_weights`` gives them: the
        reports of the first seed, with every seed's scores under ``seeds`` of our methods.
    """
    usable, recordings = describe_recordings(workouts)
    encoded = encode_bodies(usable)
    runs = []
    for recipe in recipes:
        root = Path(folder) / f"seed{recipe.seed}"
        validated = cross_validate(encoded, recipe, folder=root, progress=progress)
        report = {KNOWN: _known_report(encoded, validated, recipe, root, progress)}
        runs.append(report | _unseen_report(encoded, validated))
    first = runs[0]
    for protocol, report in first.items():
        for method in (PERSONAL, NETWORK):
            report["methods"][method]["seeds"] = [
                {
                    name: run[protocol]["methods"][method][name]
                    for name in ("pooled_mae", "workout_mae", "pooled_rmse", "load_error")
                }
                for run in runs
            ]
    return {"recordings": recordings, "situations": first}


def _unseen_report(encoded: Sequence[BodyExample], validated: CrossValidated) -> dict[str, Any]:
    """Return the reports of (b) and (c)."""
    baselines = cross_validated_baselines([each.example for each in encoded])
    questions: dict[str, list[Question]] = defaultdict(list)
    answers: dict[str, list[Forecast]] = defaultdict(list)
    for index, fold in enumerate(validated.folds):
        components = validated.components(without=index)
        model, strangers = validated.networks[index], validated.strangers[index]
        for name, asked in situations(fold.test).items():
            questions[name] += asked
            answers[name] += forecast(model, components, asked, strangers)
    return {name: situation_report(questions[name], answers[name], baselines) for name in questions}


def _known_report(
    encoded: Sequence[BodyExample],
    validated: CrossValidated,
    recipe: Fitrec2Recipe,
    folder: Path,
    progress: bool,
) -> dict[str, Any]:
    """Return the report of (a); components come from the errors on what was trained on."""
    own = {id(each.example): each for each in encoded}
    split = later_workouts([each.example for each in encoded])
    trained = [*split.training, *split.validation]
    model, _ = fine_tune(
        validated.pretrained,
        [own[id(example)] for example in trained],
        rehearsed(recipe),
        recipe,
        checkpoint=folder / "known.safetensors",
        progress=progress,
        label=KNOWN,
    )
    known: dict[str, list[Example]] = defaultdict(list)
    for example in trained:
        known[example.workout.user].append(example)
    strangers = StrangerForecasts(model, [each.example for each in encoded])
    components = fit_components(
        [[strangers.errors(example) for example in each] for each in known.values()]
    )
    questions = [Question(e, _known_of(e, known[e.workout.user])) for e in split.test]
    answers = forecast(model, components, questions, strangers)
    baselines = Baselines(trained)
    fitted: Mapping[str, Baselines] = dict.fromkeys(known, baselines)
    return situation_report(questions, answers, fitted)


def _known_of(example: Example, trained: Sequence[Example]) -> tuple[Example, ...]:
    """Return the workouts of the same person that are known: those trained on, the previous one."""
    known = {other.workout.identifier: other for other in trained}
    if example.previous is not None:
        known.setdefault(example.previous.workout.identifier, example.previous)
    return tuple(sorted(known.values(), key=lambda other: other.workout.day))


def spread_figures(components: VarianceComponents) -> dict[str, float]:
    """Return the spread in bpm of a session's level over people, sports, sessions and steps."""
    return {
        "person_bpm": float(np.sqrt(components.person[0, 0])),
        "sport_bpm": float(np.sqrt(components.sport[0, 0])),
        "session_bpm": float(np.sqrt(components.session[0, 0])),
        "noise_bpm": float(np.sqrt(components.noise)),
    }
