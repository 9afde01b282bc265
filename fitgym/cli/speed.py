"""``fitgym predictor train-speed | evaluate-speed | predict-speed``: speed from heart rate."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from fitgym.cli.arguments import input_path, output_file, output_folder
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.cli.predictor_input import read_measured_recordings, use_threads
from fitgym.common.json_files import json_text
from fitgym.common.tables import markdown_table
from fitgym.common.validation import require_seed


def add_actions(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the actions for speed as target to those of ``predictor``."""
    train = actions.add_parser("train-speed", help="train FitRec with speed as its target")
    train.set_defaults(run=run_train)
    evaluate = actions.add_parser(
        "evaluate-speed", help="errors in speed, trained anew for each split, beside baselines"
    )
    evaluate.set_defaults(run=run_evaluate)
    predict = actions.add_parser(
        "predict-speed", help="predict the speed of recorded workouts from their heart rate"
    )
    predict.add_argument("--weights", type=input_path, help="default: the shipped ones")
    predict.add_argument(
        "--output", type=output_file, default="results/speeds.csv", help="CSV file"
    )
    predict.set_defaults(run=run_predict)
    for action in (train, evaluate, predict):
        action.formatter_class = DefaultsHelpFormatter
        action.add_argument("--recordings", type=input_path, required=True)
        action.add_argument("--json", action="store_true", help="print figures as JSON")
        action.add_argument("--threads", type=int, default=1, help="torch threads")
    for action in (train, evaluate):
        action.add_argument(
            "--output",
            type=output_folder,
            default="results/speed",
            help="folder; a later call resumes there",
        )
        action.add_argument("--seed", type=int, default=0)
        action.add_argument("--quiet", action="store_true", help="no progress bars")


def run_train(options: argparse.Namespace) -> None:
    """Train weights and write them with their card."""
    from fitgym.predictor.speed.production import produce_speed

    card = produce_speed(*_input(options), options.output, progress=not options.quiet)
    if options.json:
        print(json_text(card))
        return
    print(f"wrote {options.output / 'speed.safetensors'} (SHA-256 {card['sha256'][:16]}...)")
    print(speed_table({"people held out, nothing known": card["held_out"]}))


def run_evaluate(options: argparse.Namespace) -> None:
    """Train under each protocol and print the errors."""
    from fitgym.common.files import write_text
    from fitgym.predictor.speed.evaluation import SITUATIONS, evaluate_speed

    report = evaluate_speed(*_input(options), options.output, progress=not options.quiet)
    table = speed_table({SITUATIONS[name]: part for name, part in report.items()})
    write_text(options.output / "report.json", json_text(report) + "\n")
    write_text(options.output / "report.md", table)
    print(json_text(report) if options.json else table)


def run_predict(options: argparse.Namespace) -> None:
    """Predict every recorded workout after its user's earlier ones, and write a CSV file."""
    use_threads(options.threads)
    import csv
    import io

    import numpy as np

    from fitgym.common.files import write_text
    from fitgym.predictor.fitrec2.data import encode_bodies
    from fitgym.predictor.speed.baselines import recorded_speed
    from fitgym.predictor.speed.training import predict_speed
    from fitgym.predictor.speed.weights import SHIPPED_SPEED, load_speed

    encoded = encode_bodies(read_measured_recordings(options.recordings))
    predicted = predict_speed(load_speed(options.weights or SHIPPED_SPEED)[0], encoded)
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(("workout", "t", "predicted_speed"))
    errors = []
    for each, speeds in zip(encoded, predicted, strict=True):
        for time, speed in zip(each.workout.time_s, speeds, strict=False):
            rows.writerow((each.workout.identifier, f"{time:g}", f"{speed:.3f}"))
        errors.append(np.abs(speeds - recorded_speed(each.example))[each.example.valid])
    write_text(options.output, buffer.getvalue())
    steps = np.concatenate(errors)
    figures = {
        "workouts": len(encoded),
        "measured_steps": len(steps),
        "pooled_mae_m_s": float(steps.mean()),
    }
    if options.json:
        print(json_text(figures))
        return
    print(f"wrote {options.output}: {len(encoded)} workouts")
    print(f"mean absolute error over {len(steps)} measured steps: {steps.mean():.3f} m/s")


def speed_table(report: Mapping[str, Any]) -> str:
    """Return reports by situation, as ``speed_report`` gives them, as Markdown."""
    lines = []
    for situation, whole in report.items():
        for sport, part in ({"all sports": whole} | whole["by_sport"]).items():
            lines += [
                f"**{situation}, {sport}**: {part['workouts']} workouts of {part['people']} people",
                "",
                markdown_table(
                    (
                        "method",
                        "MAE (m/s)",
                        "workout MAE",
                        "RMSE",
                        "FitRec and regression: gain in MAE (95 % over people)",
                    ),
                    [_row(name, scores) for name, scores in part["methods"].items()],
                ),
                "",
            ]
    return "\n".join(lines)


def _row(name: str, scores: Mapping[str, Any]) -> list[str]:
    errors = [f"{scores[key]:.3f}" for key in ("mae_m_s", "workout_mae_m_s", "rmse_m_s")]
    gain = ""
    if "gain" in scores:
        mean, low, high = scores["gain"]
        gain = f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"
    return [name, *errors, gain]


def _input(options: argparse.Namespace) -> tuple[Any, Any]:
    """Return the recordings and the training that the options ask for."""
    use_threads(options.threads)
    seed = require_seed("--seed", options.seed)
    from fitgym.predictor.fitrec2.data import encode_bodies
    from fitgym.predictor.speed.training import SpeedTraining

    return encode_bodies(read_measured_recordings(options.recordings)), SpeedTraining(seed=seed)
