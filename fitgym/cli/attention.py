"""``fitgym predictor train-attention | evaluate-attention``: ten seconds ahead."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitgym.cli.arguments import input_path, output_folder
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.cli.predictor_input import read_measured_recordings, tell_left_out, use_threads
from fitgym.common.json_files import json_text
from fitgym.common.validation import require_count, require_seed

if TYPE_CHECKING:
    from fitgym.predictor.datasets import Example


def add_actions(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the actions for FitRec-Attn to those of ``predictor``."""
    train = actions.add_parser("train-attention", help="train FitRec-Attn, ten seconds ahead")
    train.add_argument("--recordings", type=input_path, required=True)
    train.add_argument(
        "--output", type=output_folder, default="results/attention", help="folder; resumes there"
    )
    train.add_argument("--seed", type=int, default=0)
    train.set_defaults(run=run_train)

    evaluate = actions.add_parser(
        "evaluate-attention", help="errors ten seconds ahead, beside last value and extrapolation"
    )
    evaluate.add_argument("--recordings", type=input_path, required=True)
    evaluate.add_argument(
        "--weights", type=input_path, help="test these as they are (default: the shipped ones)"
    )
    evaluate.add_argument(
        "--retrain",
        action="store_true",
        help="train anew for known people's later workouts and for people never seen",
    )
    evaluate.add_argument("--seeds", type=int, default=3, help="with --retrain: number of seeds")
    evaluate.add_argument(
        "--output",
        type=output_folder,
        default="results/attention-evaluation",
        help="folder of the report and, with --retrain, of checkpoints to resume from",
    )
    evaluate.set_defaults(run=run_evaluate)

    for action in (train, evaluate):
        action.formatter_class = DefaultsHelpFormatter
        action.add_argument(
            "--paper",
            action="store_true",
            help="the paper's form: the heart rate itself, the next step's channels known, "
            "squared error (default: its change, from the past alone, robust error)",
        )
        action.add_argument("--json", action="store_true", help="print figures as JSON")
        action.add_argument("--quiet", action="store_true", help="no progress bars")
        action.add_argument("--threads", type=int, default=1, help="torch threads")


def run_train(options: argparse.Namespace) -> None:
    """Train weights and write them with their card."""
    use_threads(options.threads)
    from fitgym.predictor.attention.production import produce_attention

    network, config = _settings(options, require_seed("--seed", options.seed))
    card = produce_attention(
        _examples(options.recordings, network.window),
        network,
        config,
        options.output,
        progress=not options.quiet,
    )
    if options.json:
        print(json_text(card))
        return
    from fitgym.predictor.attention.evaluation import attention_table

    print(f"wrote {options.output / 'attention.safetensors'} (SHA-256 {card['sha256'][:16]}...)")
    print(attention_table({"people held out": card["held_out"]}))


def run_evaluate(options: argparse.Namespace) -> None:
    """Evaluate weights, or the training under both protocols."""
    use_threads(options.threads)
    require_count("--seeds", options.seeds, high=1000)
    if options.paper and not options.retrain:
        raise ValueError("--paper must go with --retrain: weights have the form they have")
    if options.weights is not None and options.retrain:
        raise ValueError(
            "--weights cannot be used with --retrain, which makes its own; got "
            f"{str(options.weights)!r}"
        )
    from fitgym.common.files import write_text
    from fitgym.predictor.attention.evaluation import (
        attention_table,
        evaluate_attention,
        evaluate_weights,
    )
    from fitgym.predictor.attention.weights import SHIPPED_ATTENTION, load_attention

    if options.retrain:
        settings = [_settings(options, seed) for seed in range(options.seeds)]
        examples = _examples(options.recordings, settings[0][0].window)
        report = evaluate_attention(
            examples,
            settings[0][0],
            [config for _, config in settings],
            folder=options.output,
            progress=not options.quiet,
        )
    else:
        model, _ = load_attention(options.weights or SHIPPED_ATTENTION)
        examples = _examples(options.recordings, model.config.window)
        report = {"all recordings": evaluate_weights(model, examples)}
    write_text(options.output / "report.json", json_text(report) + "\n")
    write_text(options.output / "report.md", attention_table(report))
    print(json_text(report) if options.json else attention_table(report))


def _examples(folder: Path, window: int) -> list[Example]:
    """Return the recordings in a folder, after naming those without a window to test on."""
    from fitgym.predictor.attention.data import complete_windows
    from fitgym.predictor.datasets import encode_workouts

    examples = encode_workouts(read_measured_recordings(folder))
    tell_left_out(
        f"without {window} measured steps in a row",
        (e.workout.identifier for e in examples if not complete_windows(e.valid, window).size),
        len(examples),
    )
    return examples


def _settings(options: argparse.Namespace, seed: int) -> tuple[Any, Any]:
    """Return the network's shape and the training that the options ask for."""
    from fitgym.predictor.attention.network import AttentionConfig
    from fitgym.predictor.attention.training import AttentionTrainingConfig

    if options.paper:
        network = AttentionConfig(residual=False, planned=True)
        return network, AttentionTrainingConfig(seed=seed, linear_beyond_bpm=float("inf"))
    return AttentionConfig(), AttentionTrainingConfig(seed=seed)
