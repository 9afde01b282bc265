"""Second edition of ``fitgym predictor train``, ``evaluate`` and ``predict``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from fitgym.common.json_files import json_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fitgym.logs.workout import Workout
    from fitgym.predictor.fitrec2.recipe import Fitrec2Recipe

_AS_THEY_ARE = "weights as they are: on recordings that they were trained on, errors are in sample"


def run_train(options: argparse.Namespace, workouts: list[Workout], card: dict[str, Any]) -> None:
    """Train weights and write them with card, curves and recipe."""
    if not workouts:
        raise ValueError(
            "--recordings must be given with --edition 2, whose spread is fitted to recordings; "
            "got none"
        )
    from fitgym.predictor.fitrec2.production import produce, read_evaluation

    if options.evaluation is not None:
        card["evaluation"] = read_evaluation(options.evaluation)
    written = produce(
        workouts, _recipe(options), options.output, card=card, progress=not options.quiet
    )
    if options.json:
        print(json_text(written))
        return
    path = options.output / "fitrec2.safetensors"
    print(f"wrote {path} (SHA-256 {written['sha256'][:16]}...)")
    for name, value in written["spread"].items():
        print(f"spread, {name}: {value:.1f}")


def predict(weights: Path | None, workouts: list[Workout]) -> list[NDArray[np.float64]]:
    """Return the heart rate (T,) forecast for each workout after the person's earlier ones."""
    from fitgym.predictor.fitrec2.inference import load_body_predictor
    from fitgym.predictor.fitrec2.recorded import forecast_recordings
    from fitgym.predictor.fitrec2.weights import SHIPPED_WEIGHTS

    return forecast_recordings(load_body_predictor(weights or SHIPPED_WEIGHTS), workouts)


def run_evaluate(options: argparse.Namespace, workouts: list[Workout]) -> None:
    """Score the weights as they are, or with --retrain the recipe under every protocol."""
    from fitgym.common.files import write_text
    from fitgym.predictor.fitrec2.cross_validation import evaluate_recipe
    from fitgym.predictor.fitrec2.evaluation import evaluate_weights
    from fitgym.predictor.fitrec2.weights import SHIPPED_WEIGHTS, load_weights

    if options.retrain:
        recipe = _recipe(options)
        recipes = [replace(recipe, seed=recipe.seed + number) for number in range(options.seeds)]
        report = evaluate_recipe(workouts, recipes, options.output, progress=not options.quiet)
    else:
        model, components, _ = load_weights(options.weights or SHIPPED_WEIGHTS)
        report = evaluate_weights(model, components, workouts)
    text, table = json_text(report), evaluation_table(report)
    if not options.retrain:
        table = f"{_AS_THEY_ARE}\n\n{table}"
    write_text(options.output / "report.json", text + "\n")
    write_text(options.output / "report.md", table)
    print(text if options.json else table)


def evaluation_table(report: Mapping[str, Any]) -> str:
    """Return a report of the second edition's evaluation as Markdown."""
    recordings = report["recordings"]
    lines = [f"{recordings['workouts']} workouts of {recordings['people']} people"]
    if left_out := recordings["without_heart_rate"]:
        lines.append(f"left out {len(left_out)} without heart rate: {', '.join(left_out)}")
    if others := recordings["sports_read_as_other"]:
        lines.append(f"sports read as other: {', '.join(others)}")
    lines += ["", *_summary(report["situations"]), "", *_variants(report["situations"]), ""]
    for name, situation in report["situations"].items():
        lines += [
            f"**{name}**: {situation['workouts']} workouts of {situation['people_tested']} people",
            "",
            "| method | pooled MAE (95 % over people) | workout MAE | pooled RMSE "
            "| median load error | our gain in pooled MAE (95 %) |",
            "|---|---|---|---|---|---|",
        ]
        for method, scores in situation["methods"].items():
            gain = _gain(scores) if "gain" in scores else ""
            label, mae = method, f"{scores['pooled_mae']:.2f}"
            mae += f" ({scores['pooled_mae_low']:.2f} to {scores['pooled_mae_high']:.2f})"
            if len(seeds := scores.get("seeds", [])) > 1:
                mae += "; seeds " + ", ".join(f"{seed['pooled_mae']:.2f}" for seed in seeds)
            if "interval_coverage" in scores:
                label += f"; 80 % intervals hold {100.0 * scores['interval_coverage']:.0f} %"
            lines.append(
                f"| {label} | {mae} | {scores['workout_mae']:.2f} | {scores['pooled_rmse']:.2f} "
                f"| {100.0 * scores['load_error']:.1f} % | {gain} |"
            )
        lines.append("")
    return "\n".join(lines)


def _summary(situations: Mapping[str, Any]) -> list[str]:
    """Return the rows of a table of the strongest baseline beside the forecast."""
    from fitgym.predictor.fitrec2.evaluation import PERSONAL, STRONGEST

    lines = [
        f"| situation | workouts (people) | {STRONGEST}: MAE, load error | {PERSONAL}: MAE, load "
        "error | gain in pooled MAE, first seed (95 %) | 80 % intervals hold |",
        "|---|---|---|---|---|---|",
    ]
    for name, situation in situations.items():
        methods = situation["methods"]
        ours, strongest, gain = methods[PERSONAL], "", ""
        if STRONGEST in methods:
            strongest = _mae_and_load(methods[STRONGEST])
            gain = _gain(methods[STRONGEST])
        lines.append(
            f"| {name} | {situation['workouts']} ({situation['people_tested']}) | {strongest} "
            f"| {_mae_and_load(ours)} | {gain} | {_over_seeds(ours, 'interval_coverage', 100.0, 0)}"
            " % |"
        )
    return lines


def _variants(situations: Mapping[str, Any]) -> list[str]:
    """Return the rows of a table of MAE and load error of every method in every situation."""
    names = list(dict.fromkeys(name for each in situations.values() for name in each["methods"]))
    lines = [
        f"| pooled MAE, median load error | {' | '.join(situations)} |",
        "|---" * (len(situations) + 1) + "|",
    ]
    for name in names:
        cells = [
            _mae_and_load(each["methods"][name]) if name in each["methods"] else ""
            for each in situations.values()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _mae_and_load(scores: Mapping[str, Any]) -> str:
    mae, load = (
        _over_seeds(scores, name, scale, places)
        for name, scale, places in (("pooled_mae", 1.0, 2), ("load_error", 100.0, 1))
    )
    return f"{mae}, {load} %"


def _over_seeds(scores: Mapping[str, Any], name: str, scale: float, places: int) -> str:
    """Return the mean over the seeds of a score, or the score where it has none."""
    seeds = scores.get("seeds", [scores])
    return f"{scale * fmean(seed[name] for seed in seeds):.{places}f}"


def _gain(scores: Mapping[str, Any]) -> str:
    return f"{scores['gain']:+.2f} ({scores['gain_low']:+.2f} to {scores['gain_high']:+.2f})"


def _recipe(options: argparse.Namespace) -> Fitrec2Recipe:
    from fitgym.common.validation import require_seed
    from fitgym.predictor.fitrec2.recipe import SHIPPED_RECIPE, read_recipe

    recipe = read_recipe(options.recipe or SHIPPED_RECIPE)
    seed = getattr(options, "seed", None)
    return recipe if seed is None else replace(recipe, seed=require_seed("--seed", seed))
