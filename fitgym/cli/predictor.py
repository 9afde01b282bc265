"""``fitgym predictor``: train, evaluate and use the heart-rate predictor."""

from __future__ import annotations

import argparse
import csv
from typing import Any

from fitgym.cli import ablation, attention, body_predictor, forecast, speed
from fitgym.cli.arguments import input_path, output_file, output_folder
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.cli.predictor_input import (
    choose_measured,
    read_measured_recordings,
    tell_sports,
    use_threads,
)
from fitgym.common.json_files import json_text
from fitgym.common.validation import require_count, require_seed

DESCRIPTION = """Heart-rate prediction from speed, altitude and the previous workout.

A folder of recordings holds workouts.csv (workout, user, sport, gender, day, has_altitude) and
samples.csv or samples.csv.gz (workout, t, heart_rate, valid, speed, altitude; one row per 10 s).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    train = actions.add_parser("train", help="simulator first, then recordings")
    train.add_argument("--recordings", type=input_path, help="folder; --edition 1 can do without")
    train.add_argument(
        "--output", type=output_folder, default="results/predictor", help="folder; resumes there"
    )
    train.add_argument("--recipe", type=input_path, help="JSON file (default: the shipped recipe)")
    train.add_argument("--seed", type=int, help="seed, in place of the recipe's")
    train.add_argument(
        "--sources", type=input_path, help="JSON file on the recordings, for the card"
    )
    train.add_argument(
        "--evaluation", type=input_path, help="report.json of evaluate --retrain, for the card"
    )
    train.set_defaults(run=run_train)

    evaluate = actions.add_parser("evaluate", help="errors on recordings, beside the baselines")
    evaluate.add_argument("--recordings", type=input_path, required=True)
    evaluate.add_argument(
        "--weights", type=input_path, help="test these as they are (default: the shipped ones)"
    )
    evaluate.add_argument(
        "--retrain",
        action="store_true",
        help="train anew under each protocol: known people, unseen people, calibration",
    )
    evaluate.add_argument("--recipe", type=input_path, help="with --retrain: JSON file")
    evaluate.add_argument("--seeds", type=int, default=3, help="with --retrain: number of seeds")
    evaluate.add_argument(
        "--output",
        type=output_folder,
        default="results/predictor-evaluation",
        help="folder of report, figure and, with --retrain, checkpoints to resume from",
    )
    evaluate.set_defaults(run=run_evaluate)

    predict = actions.add_parser("predict", help="predict the heart rate of recorded sessions")
    predict.add_argument("--recordings", type=input_path, required=True)
    predict.add_argument("--model", choices=("fitrec", "ode"), default="fitrec")
    predict.add_argument(
        "--weights", type=input_path, help="with fitrec (default: the shipped ones)"
    )
    predict.add_argument(
        "--output", type=output_file, default="results/predictions.csv", help="CSV file"
    )
    predict.set_defaults(run=run_predict)

    simulate = actions.add_parser("simulate", help="record virtual people's workouts")
    simulate.add_argument("--output", type=output_folder, help="folder to write the recordings to")
    simulate.add_argument("--people", type=int, default=200)
    simulate.add_argument("--workouts", type=int, default=4, help="workouts of each person")
    simulate.add_argument("--seed", type=int, default=0)
    simulate.add_argument("--recordings", type=input_path, help="show the figures of these beside")
    simulate.set_defaults(run=run_simulate)

    attention.add_actions(actions)
    speed.add_actions(actions)
    forecast.add_action(actions)
    ablation.add_action(actions)

    for action in (train, evaluate, predict):
        action.add_argument(
            "--edition",
            type=int,
            choices=(1, 2),
            default=2,
            help="2 knows the body and corrects itself for each person; 1 is what "
            "version 0 of the environments uses",
        )
    for action in (train, evaluate, predict, simulate):
        action.formatter_class = DefaultsHelpFormatter
        action.add_argument("--json", action="store_true", help="print figures as JSON")
        action.add_argument("--quiet", action="store_true", help="no progress bars")
    for action in (train, evaluate, predict):
        action.add_argument("--threads", type=int, default=1, help="torch threads")


def run_train(options: argparse.Namespace) -> None:
    """Train weights and write them with card, curves and recipe."""
    use_threads(options.threads)
    from fitgym.common.json_files import read_json
    from fitgym.predictor.fitrec.production import produce, read_evaluation

    workouts = [] if options.recordings is None else read_measured_recordings(options.recordings)
    extra = {}
    if options.sources is not None:
        extra["sources"] = read_json(options.sources)
    if options.edition == 2:
        body_predictor.run_train(options, workouts, extra)
        return
    if options.evaluation is not None:
        extra["evaluation"] = read_evaluation(options.evaluation)
    card = produce(
        workouts, _recipe(options), options.output, card=extra, progress=not options.quiet
    )
    if options.json:
        print(json_text(card))
        return
    print(f"wrote {options.output / 'fitrec.safetensors'} (SHA-256 {card['sha256'][:16]}...)")
    for stage, figures in card["training"].items():
        print(f"{stage}: {figures['epochs']} epochs, validation {figures['rmse_bpm']:.2f} bpm RMSE")


def run_evaluate(options: argparse.Namespace) -> None:
    """Evaluate weights, or the recipe under every protocol."""
    use_threads(options.threads)
    require_count("--seeds", options.seeds, high=1000)
    _refuse("--weights", options.weights, options.retrain, "with --retrain")
    _refuse("--recipe", options.recipe, not options.retrain, "without --retrain")
    from fitgym.logs.recordings import read_recordings

    if options.edition == 2:
        workouts = read_recordings(options.recordings)
        choose_measured(workouts, options.recordings)
        body_predictor.run_evaluate(options, workouts)
        return
    from dataclasses import replace

    from fitgym.common.files import write_text
    from fitgym.predictor.datasets import encode_workouts
    from fitgym.predictor.evaluation import check_recordings, evaluate_recipe, evaluate_weights
    from fitgym.predictor.fitrec.recipe import pretrain
    from fitgym.predictor.fitrec.weights import SHIPPED_WEIGHTS, load_model
    from fitgym.predictor.reporting import draw_predictions, evaluation_table

    examples = encode_workouts(read_measured_recordings(options.recordings))
    progress = not options.quiet
    if options.retrain:
        check_recordings(examples)
        recipe = _recipe(options)
        recipes = [replace(recipe, seed=recipe.seed + number) for number in range(options.seeds)]
        pretrained = [
            pretrain(each, options.output / f"seed{each.seed}", progress=progress)[0]
            for each in recipes
        ]
        report, predictions = evaluate_recipe(
            examples, recipes, pretrained, folder=options.output, progress=progress
        )
    else:
        model, vocabulary, _ = load_model(options.weights or SHIPPED_WEIGHTS)
        report, predictions = evaluate_weights(model, vocabulary, examples)
    write_text(options.output / "report.json", json_text(report) + "\n")
    write_text(options.output / "report.md", evaluation_table(report))
    draw_predictions(
        [example for example, _ in predictions],
        [prediction for _, prediction in predictions],
        options.output / "predictions.png",
        title="people not trained on" if options.retrain else "all recordings",
    )
    print(json_text(report) if options.json else evaluation_table(report))


def run_predict(options: argparse.Namespace) -> None:
    """Predict every recorded session after its user's earlier ones, and write a CSV file."""
    import numpy as np

    from fitgym.common.files import atomic_path
    from fitgym.logs.recordings import read_recordings
    from fitgym.predictor.sessions import Predictor, Session, previous_workouts

    _refuse("--weights", options.weights, options.model == "ode", "with --model ode")
    if options.model == "fitrec":
        use_threads(options.threads)
    workouts = read_recordings(options.recordings)
    tell_sports(workouts)
    if options.model == "fitrec" and options.edition == 2:
        predictions = body_predictor.predict(options.weights, workouts)
    else:
        predictor: Predictor
        if options.model == "ode":
            from fitgym.predictor.ode import OdePredictor

            predictor = OdePredictor()
        else:
            from fitgym.predictor.fitrec.inference import load_predictor
            from fitgym.predictor.fitrec.weights import SHIPPED_WEIGHTS

            predictor = load_predictor(options.weights or SHIPPED_WEIGHTS)
        predictions = predictor.predict(
            [Session.of(workout) for workout in workouts],
            previous_workouts(workouts),
            [(index, index) for index in range(len(workouts))],
        )
    errors = []
    with (
        atomic_path(options.output) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("workout", "t", "predicted_heart_rate"))
        for workout, predicted in zip(workouts, predictions, strict=True):
            for time, value in zip(workout.time_s, predicted, strict=True):
                rows.writerow((workout.identifier, f"{time:g}", f"{value:.2f}"))
            errors.append(np.abs(predicted - workout.heart_rate_bpm)[workout.valid])
    steps = np.concatenate(errors)
    figures = {
        "workouts": len(workouts),
        "measured_steps": len(steps),
        "pooled_mae_bpm": float(steps.mean()) if len(steps) else None,
    }
    if options.json:
        print(json_text(figures))
        return
    print(f"wrote {options.output}: {figures['workouts']} workouts")
    if len(steps):
        print(f"mean absolute error over {len(steps)} measured steps: {steps.mean():.2f} bpm")


def run_simulate(options: argparse.Namespace) -> None:
    """Simulate recordings, write them, and show what they look like."""
    from fitgym.logs.recordings import read_recordings, write_recordings
    from fitgym.predictor.recording_statistics import recording_figures, recording_table
    from fitgym.predictor.simulator.workouts import SimulatorConfig, simulate_workouts

    config = SimulatorConfig(people=options.people, workouts=options.workouts, seed=options.seed)
    workouts = simulate_workouts(config)
    if options.output is not None:
        write_recordings(options.output, workouts)
    sets = {"simulated": recording_figures(workouts)}
    if options.recordings is not None:
        sets["recorded"] = recording_figures(read_recordings(options.recordings))
    print(json_text(sets) if options.json else recording_table(sets))


def _refuse(name: str, value: object, wrong: bool, reason: str) -> None:
    """Refuse an option that would be passed over."""
    if value is not None and wrong:
        raise ValueError(f"{name} cannot be used {reason}; got {str(value)!r}")


def _recipe(options: argparse.Namespace) -> Any:
    """Return the recipe the options ask for."""
    from dataclasses import replace

    from fitgym.predictor.fitrec.recipe import SHIPPED_RECIPE, read_recipe

    recipe = read_recipe(options.recipe or SHIPPED_RECIPE)
    seed = getattr(options, "seed", None)
    return recipe if seed is None else replace(recipe, seed=require_seed("--seed", seed))
