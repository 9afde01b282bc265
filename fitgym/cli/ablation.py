"""``fitgym predictor ablation``: how much the heart decides in version 1 of the environments."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from typing import Any

from fitgym.cli.arguments import output_folder
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.common.json_files import json_text
from fitgym.common.tables import markdown_table
from fitgym.common.validation import require_integer, require_seed


def add_action(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action to those of ``fitgym predictor``."""
    parser = actions.add_parser(
        "ablation",
        help="how much the heart decides: spread of loads, constant twin, exchanged predictors",
        formatter_class=DefaultsHelpFormatter,
    )
    parser.add_argument("--env-id", default="fitgym/Acquisition-v1", help="an id of version 1")
    parser.add_argument("--people", type=int, default=200, help="people of the population")
    parser.add_argument(
        "--exchanged", type=int, default=20, help="people whose predictors are exchanged, too"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the people")
    parser.add_argument(
        "--output",
        type=output_folder,
        default="results/ablation",
        help="folder of each person's result, from which a later call goes on, and the report",
    )
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the ablation and print its report."""
    require_integer("--people", options.people, 2)
    require_integer("--exchanged", options.exchanged, 0)
    require_seed("--seed", options.seed)
    import gymnasium as gym

    from fitgym.common.files import write_text
    from fitgym.planning.heart_ablation import run_ablation

    try:
        report = run_ablation(
            options.env_id,
            options.people,
            options.exchanged,
            options.output,
            seed=options.seed,
            progress=not options.quiet,
        )
    except gym.error.Error as error:
        raise ValueError(f"--env-id must be a registered environment: {error}") from None
    write_text(options.output / "report.json", json_text(report) + "\n")
    write_text(options.output / "report.md", ablation_table(report))
    print(json_text(report) if options.json else ablation_table(report))


def ablation_table(report: Mapping[str, Any]) -> str:
    """Return the report as Markdown."""
    spread = report["spread"]
    plans = [f"plan {plan + 1}" for plan in range(len(spread["by_plan"]["all"]))]
    version0 = report["version 0"]["by_plan"]
    overall = math.sqrt(sum(value * value for value in version0) / len(version0))
    lines = [
        f"{report['people']} people of the population, {report['run']['env_id']}, "
        f"seed {report['run']['seed']}",
        "",
        "Standard deviation of log load within a plan, over people and the states they meet:",
        "",
        markdown_table(
            ["part", *plans, "over plans"],
            [
                [
                    name,
                    *(f"{value:.3f}" for value in spread["by_plan"][name]),
                    f"{spread['over_plans'][name]:.3f}",
                ]
                for name in spread["over_plans"]
            ]
            + [["version 0, all", *(f"{value:.3f}" for value in version0), f"{overall:.3f}"]],
        ),
        "",
        f"Share of the variance that the predictor is told: {100 * spread['share_told']:.0f} %",
        "",
        "Behind the person's own dynamic program, in points of the way from no service to it:",
        "",
    ]
    rows = [["constant twin", report["twin"]], ["belief", report["belief"]]]
    rows += [[name, one] for name, one in report.get("exchanged", {}).items() if name != "own"]
    lines.append(
        markdown_table(
            ["planner", "people", "of all returns", "mean over people", "95 %"],
            [
                [
                    name,
                    str(one["people"]),
                    f"{one['points_behind']:.1f}",
                    f"{one['mean_of_people']:.1f}",
                    f"{one['low']:.1f} to {one['high']:.1f}",
                ]
                for name, one in rows
            ],
        )
    )
    columns = ("mean", "sd", "lowest", "median", "highest")
    gains = [
        [name, *(f"{one[column]:+.1f}" for column in columns), str(one["people above 20"])]
        for name, one in report["gains"].items()
    ]
    header = ["planner", *columns, "people above 20 %"]
    lines += ["", "VDOT gain in per cent:", "", markdown_table(header, gains)]
    if "exchanged" in report:
        points = {name: one["points"] for name, one in report["exchanged"].items()}
        lines += [
            "",
            "Mean points of the plans pushed: "
            + ", ".join(f"{name} {value:.1f}" for name, value in points.items()),
            "",
            "Order of no service and the ten fixed plans by return, Kendall's tau with the true "
            "one: "
            + ", ".join(
                f"{name} {one['order']:.2f}"
                for name, one in report["exchanged"].items()
                if "order" in one
            ),
        ]
    return "\n".join(lines) + "\n"
