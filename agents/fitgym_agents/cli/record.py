"""``fitgym record``: an expert's seasons in a file, for those that learn to imitate."""

from __future__ import annotations

import argparse
from pathlib import Path

from fitgym_agents.cli.options import (
    AGENT_HELP,
    add_environment,
    check_environment,
    environment_kwargs,
    named_agent,
)

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Let an expert act in seasons that are neither evaluated on nor learnt in, and write "
        "what a learner would have seen and what the expert did to a safetensors file."
    )
    parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    add_environment(parser)
    parser.add_argument(
        "--agent",
        metavar="AGENT_OR_FOLDER",
        help=f"the expert: {AGENT_HELP} (default: dynamic-programming, or foresight under replay "
        "adherence)",
    )
    parser.add_argument("--episodes", type=int, default=100, metavar="N", help="seasons")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the first season, counted in their own range"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("results/demonstrations.safetensors"), metavar="FILE"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Record, write the file, and print what is in it."""
    from fitgym_agents.deep.gail.demonstrations import expert_for, record

    env_kwargs = environment_kwargs(options, "train")
    check_environment(options.env_id, env_kwargs)
    if options.agent is None:
        expert = expert_for(options.env_id, env_kwargs)
    else:
        expert = named_agent(options.agent, options.env_id, env_kwargs)
    demonstrations = record(
        expert,
        options.env_id,
        env_kwargs=env_kwargs,
        episodes=options.episodes,
        seed=options.seed,
    )
    demonstrations.save(options.out)
    print(
        f"{demonstrations.agent} in {demonstrations.env_id}: {demonstrations.episodes} seasons, "
        f"mean return {demonstrations.returns.mean():.1f}"
    )
    print(f"wrote {options.out}")
