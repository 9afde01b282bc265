"""Training and testing on recordings by cross-validation over people, and on known people.

    (a)  later workouts of known people, whose earlier ones were trained on
    (b)  people never seen: as a stranger, and with the previous workout known
    (c)  the same after 1, 3 and 10 calibration workouts

The components of a fold's spread and the width of its intervals are fitted to the errors of the
other folds' people, each predicted by a network that was not trained on them. For (a) the same is
done inside the workouts trained on.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
    SEEDS_MEAN,
    cross_validated_baselines,
    describe_recordings,
    mean_error_ratios,
    score,
    situation_report,
    situations,
)
from fitgym.predictor.fitrec2.network import Fitrec2Network
from fitgym.predictor.fitrec2.personal import Forecast, Question, StrangerForecasts, forecast
from fitgym.predictor.fitrec2.recipe import Fitrec2Recipe, fine_tune, pretrain, rehearsed
from fitgym.predictor.fitting import EpochRecord
from fitgym.predictor.splits import Split, folds_of_people, later_workouts

KNOWN = "known people"
# Share of workouts whose mean heart rate an interval is to hold, and in which situations.
INTERVAL_SHARE = 0.8
INTERVAL_SITUATIONS = ("stranger", "previous workout", "all earlier workouts")


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """Networks of the folds of one seed.

    Attributes:
        pretrained: The network before fine-tuning.
        folds: The folds.
        strangers: For each fold the forecasts of its test people by a network trained on others.
        curves: Learning curves by stage.
    """

    pretrained: Fitrec2Network
    folds: list[Split]
    strangers: list[StrangerForecasts]
    curves: dict[str, list[EpochRecord]]

    def components(self, without: int | None = None) -> VarianceComponents:
        """Return the components fitted to the errors of all folds but one.

        The spread is that of errors as strangers; the width of intervals makes them hold the
        workouts of strangers and of people with a history together.
        """
        chosen = [index for index in range(len(self.folds)) if index != without]
        components = fit_components(list(self.errors(chosen).values()))
        ratios = []
        for index in chosen:
            asked = situations(self.folds[index].test)
            for name in INTERVAL_SITUATIONS:
                answers = forecast(components, asked[name], self.strangers[index])
                tested = [question.example for question in asked[name]]
                ratios.append(mean_error_ratios(tested, answers))
        width = float(np.quantile(np.concatenate(ratios), INTERVAL_SHARE))
        return replace(components, interval_sd=width)

    def running_spread(self) -> dict[str, float]:
        """Return the spread in bpm of a run's level over strangers and over their sessions.

        It is fitted to the errors on runs alone, where a person's part in every sport and that in
        running cannot be told apart and count together.
        """
        runs = [
            [errors for errors in sessions if errors.sport == "run"]
            for sessions in self.errors(range(len(self.folds))).values()
        ]
        components = fit_components([sessions for sessions in runs if sessions])
        lasting = components.person[0, 0] + components.sport[0, 0]
        return {
            "person_bpm": float(np.sqrt(lasting)),
            "session_bpm": float(np.sqrt(components.session[0, 0])),
        }

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
    pretrained: Fitrec2Network | None = None,
    progress: bool = False,
) -> CrossValidated:
    """Fine-tune a pre-trained network on each fold's training people.

    Args:
        encoded: All recordings.
        recipe: How to train.
        folder: Where to keep a checkpoint per training, from which a later call resumes.
        pretrained: A network pre-trained by the same recipe; None pre-trains one.
        progress: Whether to show progress bars.
    """
    root = None if folder is None else Path(folder)
    folds = folds_of_people([each.example for each in encoded])
    curves = {}
    if pretrained is None:
        pretrained, curves["pre-training"] = pretrain(recipe, root, progress=progress)
    rehearsal = rehearsed(recipe)
    own = {id(each.example): each for each in encoded}
    strangers = []
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
        strangers.append(StrangerForecasts(model, fold.test))
    return CrossValidated(pretrained, folds, strangers, curves)


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
        reports of the first seed, with every seed's scores under ``seeds`` of our methods, and the
        mean of the seeds' predictions as a method of its own.
    """
    usable, recordings = describe_recordings(workouts)
    encoded = encode_bodies(usable)
    examples = [each.example for each in encoded]
    strangers = cross_validated_baselines(examples)
    split = later_workouts(examples)
    trained = Baselines([*split.training, *split.validation])
    known = {example.workout.user: trained for example in examples}
    runs = []
    for recipe in recipes:
        root = Path(folder) / f"seed{recipe.seed}"
        validated = cross_validate(encoded, recipe, folder=root, progress=progress)
        answers = {KNOWN: _known_answers(encoded, split, validated, recipe, root, progress)}
        runs.append(answers | _unseen_answers(validated))
    reports: dict[str, Any] = {}
    for name, (questions, _) in runs[0].items():
        forecasts = [run[name][1] for run in runs]
        baselines = known if name == KNOWN else strangers
        seeds = [situation_report(questions, answers, baselines) for answers in forecasts]
        reports[name] = seeds[0]
        methods = reports[name]["methods"]
        for method in (PERSONAL, NETWORK):
            methods[method]["seeds"] = [_in_short(seed["methods"][method]) for seed in seeds]
        means = [
            np.mean([answer.heart_rate_bpm for answer in each], axis=0)
            for each in zip(*forecasts, strict=True)
        ]
        methods[SEEDS_MEAN] = score([question.example for question in questions], means)
    return {"recordings": recordings, "situations": reports}


Answers = tuple[list[Question], list[Forecast]]


def _in_short(scores: Mapping[str, Any]) -> dict[str, float]:
    names = ("pooled_mae", "workout_mae", "pooled_rmse", "load_error", "interval_coverage")
    return {name: scores[name] for name in names if name in scores}


def _unseen_answers(validated: CrossValidated) -> dict[str, Answers]:
    """Return questions and answers of (b) and (c) by situation."""
    answers: dict[str, Answers] = defaultdict(lambda: ([], []))
    for index, fold in enumerate(validated.folds):
        components = validated.components(without=index)
        for name, asked in situations(fold.test).items():
            if not asked:
                continue
            questions, forecasts = answers[name]
            questions += asked
            forecasts += forecast(components, asked, validated.strangers[index])
    return dict(answers)


def _known_answers(
    encoded: Sequence[BodyExample],
    split: Split,
    validated: CrossValidated,
    recipe: Fitrec2Recipe,
    folder: Path,
    progress: bool,
) -> Answers:
    """Return questions and answers of (a)."""
    own = {id(each.example): each for each in encoded}
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
    inside = cross_validate(
        [own[id(example)] for example in trained],
        recipe,
        folder=folder / "known",
        pretrained=validated.pretrained,
        progress=progress,
    )
    questions = [Question(e, _known_of(e, known[e.workout.user])) for e in split.test]
    return questions, forecast(inside.components(), questions, strangers)


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
