"""``fitgym evaluate``: compare agents over the same episodes."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from fitgym.common.json_files import json_text
from fitgym.common.validation import require_integer
from fitgym_agents.cli.options import (
    AGENT_HELP,
    add_environment,
    check_environment,
    environment_kwargs,
    named_agent,
)
from fitgym_agents.evaluation import EVALUATION_SEED, Evaluation, evaluate, paired_difference
from fitgym_agents.scores import share_of_ceiling

_COLUMNS = (
    "agent",
    "mean return",
    "95% interval",
    "% of ceiling",
    "plans met",
    "VDOT gain",
    "points/week",
    "us/decision",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Let agents act in the same episodes, which no learner here trains on (under replay, "
        "the last part of the log), and print their returns."
    )
    parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    parser.add_argument("agent", metavar="AGENT_OR_FOLDER", help=AGENT_HELP)
    add_environment(parser)
    parser.add_argument(
        "--against",
        action="append",
        default=[],
        metavar="AGENT_OR_FOLDER",
        help="another agent, whose returns are subtracted episode by episode; may be repeated",
    )
    parser.add_argument("--episodes", type=int, default=100, metavar="N", help="how many")
    parser.add_argument("--seed", type=int, default=EVALUATION_SEED, help="of the first episode")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Evaluate the agents and print the table."""
    require_integer("--episodes", options.episodes, 1)
    require_integer("--seed", options.seed, 0)
    env_kwargs = environment_kwargs(options, "test")
    check_environment(options.env_id, env_kwargs)
    texts = [options.agent, *options.against]
    evaluations = [
        evaluate(
            named_agent(text, options.env_id, env_kwargs),
            options.env_id,
            episodes=options.episodes,
            seed=options.seed,
            env_kwargs=env_kwargs,
        )
        for text in texts
    ]
    if len({evaluation.agent for evaluation in evaluations}) < len(evaluations):
        # As after two trainings of one algorithm: only what was typed tells them apart.
        pairs = zip(evaluations, texts, strict=True)
        evaluations = [replace(evaluation, agent=text) for evaluation, text in pairs]
    first, *others = evaluations
    summaries = [summary(evaluation, env_kwargs) for evaluation in evaluations]
    differences = [paired_difference(first, other) for other in others]
    if options.json:
        content = {
            "env_id": options.env_id,
            "env_kwargs": env_kwargs,
            "agents": summaries,
            "differences": [
                {"agent": first.agent, "against": other.agent, **asdict(difference)}
                for other, difference in zip(others, differences, strict=True)
            ],
        }
        print(json_text(content))
        return
    print(f"{options.env_id}, {options.episodes} episodes from seed {options.seed}")
    print(_table(summaries))
    for other, difference in zip(others, differences, strict=True):
        print(
            f"{first.agent} less {other.agent}: {difference.mean:+,.1f} "
            f"({difference.low:+,.1f} to {difference.high:+,.1f}), paired"
        )


def summary(evaluation: Evaluation, env_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the summary of an evaluation as JSON-able values.

    Args:
        evaluation: The evaluation.
        env_kwargs: Arguments of its environment.
    """
    completion_rate = evaluation.completion_rate
    return {
        "agent": evaluation.agent,
        "episodes": evaluation.returns.size,
        "seed": evaluation.seed,
        "mean_return": asdict(evaluation.interval()),
        "share_of_ceiling": share_of_ceiling(evaluation.env_id, env_kwargs, evaluation.mean),
        "completion_rate": None if math.isnan(completion_rate) else completion_rate,
        "performance_gain": float(evaluation.performance_gain.mean()),
        "weekly_load": float(evaluation.weekly_load.mean()),
        "decision_seconds": evaluation.decision_seconds,
    }


def _table(summaries: Sequence[Mapping[str, Any]]) -> str:
    lines = [_COLUMNS, *map(_cells, summaries)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _cells(values: Mapping[str, Any]) -> tuple[str, ...]:
    earned = values["mean_return"]
    share, met = values["share_of_ceiling"], values["completion_rate"]
    return (
        values["agent"],
        f"{earned['mean']:,.1f}",
        f"{earned['low']:,.1f} to {earned['high']:,.1f}",
        "-" if share is None else f"{100 * share:.1f}",
        "-" if met is None else f"{100 * met:.1f}%",
        f"{values['performance_gain']:+.2f}",
        f"{values['weekly_load']:.1f}",
        f"{1e6 * values['decision_seconds']:.1f}",
    )
