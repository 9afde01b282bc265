"""``fitgym evaluate``: compare agents over the same episodes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.common.json_files import json_text
from fitgym.common.tables import MISSING, text_table
from fitgym.common.validation import require_count, require_seed
from fitgym_agents.cli.options import (
    AGENT_HELP,
    add_environment,
    check_environment,
    environment_kwargs,
    named_agent,
)
from fitgym_agents.evaluation import EVALUATION_SEED, Evaluation, paired_difference
from fitgym_agents.scores import share_of_ceiling
from fitgym_agents.summary import (
    PEOPLE_COLUMNS,
    RANKING_NOTE,
    Summary,
    evaluate_modes,
    evaluate_no_service,
)

_COLUMNS = (
    "agent",
    "mean return",
    "95% interval",
    "% of the way",
    "likeliest",
    "drawn",
    "us/decision",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Let agents act in the same episodes, which no learner here trains on (under "
        "replay, windows of the log's last part), and print what they earned and what became of "
        "the people."
    )
    parser.formatter_class = DefaultsHelpFormatter
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
    """Evaluate the agents and print the tables."""
    require_count("--episodes", options.episodes)
    require_seed("--seed", options.seed)
    env_kwargs = environment_kwargs(options, "test")
    check_environment(options.env_id, env_kwargs)
    protocol: Any = {"episodes": options.episodes, "seed": options.seed, "env_kwargs": env_kwargs}
    texts = [options.agent, *options.against]
    evaluated = [
        evaluate_modes(named_agent(text, options.env_id, env_kwargs), options.env_id, **protocol)
        for text in texts
    ]
    names = [likeliest.agent for likeliest, _ in evaluated]
    if len(set(names)) < len(names):
        # As after two trainings of one algorithm: only what was typed tells them apart.
        names = texts
    summaries = [
        Summary(name, (likeliest,), (drawn,) if drawn else ())
        for name, (likeliest, drawn) in zip(names, evaluated, strict=True)
    ]
    no_service = evaluate_no_service(options.env_id, **protocol)
    first, *others = summaries
    differences = [
        paired_difference(first.evaluations[0], other.evaluations[0]) for other in others
    ]
    if options.json:
        content = {
            "env_id": options.env_id,
            "env_kwargs": env_kwargs,
            "agents": [_numbers(one, env_kwargs, no_service) for one in summaries],
            "differences": [
                {"agent": first.label, "against": other.label, **asdict(difference)}
                for other, difference in zip(others, differences, strict=True)
            ],
        }
        print(json_text(content))
        return
    print(f"{options.env_id}, {options.episodes} episodes from seed {options.seed}\n")
    print(text_table(_COLUMNS, [_cells(one, env_kwargs) for one in summaries]))
    if any(one.drawn for one in summaries):
        print(RANKING_NOTE)
    print()
    print(text_table(PEOPLE_COLUMNS, [one.people_cells(no_service) for one in summaries]))
    for other, difference in zip(others, differences, strict=True):
        print(
            f"{first.label} less {other.label}: {difference.mean:+,.1f} "
            f"({difference.low:+,.1f} to {difference.high:+,.1f}), paired"
        )


def summary(evaluation: Evaluation, env_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the summary of an evaluation as JSON-able values.

    Args:
        evaluation: The evaluation.
        env_kwargs: Arguments of its environment.
    """
    return _numbers(Summary(evaluation.agent, (evaluation,)), env_kwargs, None)


def _numbers(
    one: Summary, env_kwargs: Mapping[str, Any], no_service: Evaluation | None
) -> dict[str, Any]:
    env_id = one.evaluations[0].env_id
    share = share_of_ceiling(env_id, env_kwargs, one.mean_return.mean)
    return {**one.to_dict(no_service), "share_of_ceiling": share}


def _cells(one: Summary, env_kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    earned = one.mean_return
    share = share_of_ceiling(one.evaluations[0].env_id, env_kwargs, earned.mean)
    return (
        one.label,
        f"{earned.mean:,.1f}",
        f"{earned.low:,.1f} to {earned.high:,.1f}",
        MISSING if share is None else f"{100 * share:.1f}",
        *one.mode_cells(),
        f"{1e6 * one.decision_seconds:.1f}",
    )
