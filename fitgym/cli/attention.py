"""``fitgym predictor train-attention | evaluate-attention``: ten seconds ahead."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from fitgym.common.validation import require_integer


def add_actions(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the actions for FitRec-Attn to those of ``predictor``."""
    train = actions.add_parser("train-attention", help="train FitRec-Attn, ten seconds ahead")
    train.add_argument("--recordings", type=Path, required=True)
    train.add_argument(
        "--output", type=Path, default=Path("results/attention"), help="folder; resumes there"
    )
    train.add_argument("--seed", type=int, default=0)
    train.set_defaults(run=run_train)

    evaluate = actions.add_parser(
        "evaluate-attention", help="errors ten seconds ahead, beside last value and extrapolation"
    )
    evaluate.add_argument("--recordings", type=Path, required=True)
    evaluate.add_argument(
        "--weights", type=Path, help="test these as they are (default: the shipped ones)"
    )
    evaluate.add_argument(
        "--retrain",
        action="store_true",
        help="train anew for known people's later workouts and for people never seen",
    )
    evaluate.add_argument("--seeds", type=int, default=3, help="with --retrain: number of seeds")
    evaluate.add_argument(
        "--output",
        type=Path,
        default=Path("results/attention-evaluation"),
        help="folder of the report and, with --retrain, of checkpoints to resume from",
    )
    evaluate.set_defaults(run=run_evaluate)

    for action in (train, evaluate):
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
    _use_threads(options.threads)
    from fitgym.logs.recordings import read_recordings
    from fitgym.predictor.attention.production import produce_attention
    from fitgym.predictor.datasets import encode_workouts

    network, config = _settings(options, require_integer("--seed", options.seed, 0))
    card = produce_attention(
        encode_workouts(read_recordings(options.recordings)),
        network,
        config,
        options.output,
        progress=not options.quiet,
    )
    if options.json:
        print(json.dumps(card, indent=2))
        return
    from fitgym.predictor.attention.evaluation import attention_table

    print(f"wrote {options.output / 'attention.safetensors'} (SHA-256 {card['sha256'][:16]}...)")
    print(attention_table({"people held out": card["held_out"]}))


def run_evaluate(options: argparse.Namespace) -> None:
    """Evaluate weights, or the training under both protocols."""
    _use_threads(options.threads)
    require_integer("--seeds", options.seeds, 1)
    if options.paper and not options.retrain:
        raise ValueError("--paper must go with --retrain: weights have the form they have")
    from fitgym.common.files import write_text
    from fitgym.logs.recordings import read_recordings
    from fitgym.predictor.attention.evaluation import (
        attention_table,
        evaluate_attention,
        evaluate_weights,
    )
    from fitgym.predictor.attention.weights import SHIPPED_ATTENTION, load_attention
    from fitgym.predictor.datasets import encode_workouts

    examples = encode_workouts(read_recordings(options.recordings))
    if options.retrain:
        settings = [_settings(options, seed) for seed in range(options.seeds)]
        report = evaluate_attention(
            examples,
            settings[0][0],
            [config for _, config in settings],
            folder=options.output,
            progress=not options.quiet,
        )
    else:
        model, _ = load_attention(options.weights or SHIPPED_ATTENTION)
        report = {"all recordings": evaluate_weights(model, examples)}
    write_text(options.output / "report.json", json.dumps(report, indent=2) + "\n")
    write_text(options.output / "report.md", attention_table(report))
    print(json.dumps(report, indent=2) if options.json else attention_table(report))


def _settings(options: argparse.Namespace, seed: int) -> tuple[Any, Any]:
    """Return the network's shape and the training that the options ask for."""
    from fitgym.predictor.attention.network import AttentionConfig
    from fitgym.predictor.attention.training import AttentionTrainingConfig

    if options.paper:
        network = AttentionConfig(residual=False, planned=True)
        return network, AttentionTrainingConfig(seed=seed, linear_beyond_bpm=float("inf"))
    return AttentionConfig(), AttentionTrainingConfig(seed=seed)


def _use_threads(threads: int) -> None:
    """Set torch's threads; more than one only helps on an idle machine."""
    require_integer("--threads", threads, 1)
    import torch

    torch.set_num_threads(threads)
